import { connectSuccessTopic, controlTopics, dataTopicsOf } from '../../src/domain/routing.ts'
import { regions, requestTypes } from '../../src/domain/target.ts'

/** Every topic this service writes: the closed list of what `tail` takes. */
export const readableTopics: readonly string[] = [
  ...regions.flatMap(region => dataTopicsOf(region, requestTypes)),
  ...regions.map(connectSuccessTopic),
  ...Object.keys(controlTopics)
]
