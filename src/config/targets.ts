import { type Ajv, type ValidateFunction } from 'ajv'
import { asIngestError } from '../core/errors.ts'
import { exchangeRegions, parseTargetArgument, type TargetPlan, targetKey } from '../domain/target.ts'
import { type Fault, faultOf, shown } from './fault.ts'
import { targetObjectSchema } from './schema.ts'

interface TargetObject {
  readonly exchange: keyof typeof exchangeRegions
  readonly request_type: TargetPlan['target']['request_type']
  readonly symbols: readonly string[]
  readonly projection: readonly string[]
}

let checkObject: ValidateFunction<TargetObject> | null = null

/** Reads the `targets` of a configuration; what cannot be read becomes one fault an item. */
export function readTargets(ajv: Ajv, items: unknown, faults: Fault[]): readonly TargetPlan[] {
  if (!Array.isArray(items)) return []
  const plans: TargetPlan[] = []
  items.forEach((item: unknown, index) => {
    const path = `targets.${index}`
    if (typeof item === 'string') {
      try {
        plans.push(parseTargetArgument(item))
      } catch (error) {
        faults.push({ path, message: asIngestError(error).message })
      }
      return
    }
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      const message = `${shown(path, item)} is neither text like upbit/trade:BTC-KRW nor an object with exchange, request_type and symbols.`
      faults.push({ path, message })
      return
    }
    checkObject ??= ajv.compile<TargetObject>(targetObjectSchema)
    if (checkObject(item)) plans.push(planOf(item))
    else faults.push(...(checkObject.errors ?? []).map(error => faultOf(path, error)))
  })
  return mergePlans(plans)
}

function planOf({ exchange, request_type, symbols, projection }: TargetObject): TargetPlan {
  return { target: { region: exchangeRegions[exchange], exchange, request_type }, symbols, projection }
}

/** One plan per target: what is named twice is collected once, with everything that was asked for. */
export function mergePlans(plans: readonly TargetPlan[]): readonly TargetPlan[] {
  const merged = new Map<string, TargetPlan>()
  for (const plan of plans) {
    const before = merged.get(targetKey(plan.target))
    merged.set(targetKey(plan.target), {
      target: plan.target,
      symbols: [...new Set([...(before?.symbols ?? []), ...plan.symbols])],
      projection: [...new Set([...(before?.projection ?? []), ...plan.projection])]
    })
  }
  return [...merged.values()]
}
