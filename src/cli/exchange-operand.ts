import { didYouMean } from '../config/nearest.ts'
import { isExchangeName } from '../domain/target.ts'
import { type ExchangeAdapter } from '../exchange-kit/adapter.ts'
import { adapterOf, adapters } from '../exchanges/registry.ts'
import { usage, type VerbSpec } from './args.ts'

/**
 * The exchange that an operand names.
 * @throws IngestError USAGE with the nearest name
 */
export function readExchange(spec: VerbSpec, name: string | undefined): ExchangeAdapter {
  const known = Object.keys(adapters)
  if (name === undefined) throw usage(spec, `Name an exchange: ${known.join(', ')}`)
  if (isExchangeName(name)) return adapterOf(name)
  const hint = didYouMean(name, known)
  throw usage(spec, `There is no exchange "${name}"`, hint === '' ? `; there are ${known.join(', ')}.` : hint)
}
