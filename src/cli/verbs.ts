import { capture } from './capture.ts'
import { configCheck, configPrint, configSchemaVerb } from './config.ts'
import { decode } from './decode.ts'
import { demo } from './demo.ts'
import { exchanges } from './exchanges.ts'
import { instruments } from './instruments.ts'
import { liveCheck } from './live-check.ts'
import { replay } from './replay.ts'
import { schemasCheck, schemasRegister } from './schemas.ts'
import { simulate } from './simulate.ts'
import { simulateCheck } from './simulate-check.ts'
import { start } from './start.ts'
import { status } from './status.ts'
import { tail } from './tail.ts'
import { topicsApply, topicsPlan } from './topics.ts'
import { type Verb } from './verb.ts'

/** Every verb of the command line, in the order of the overview. */
export const verbs: readonly Verb[] = [
  start,
  demo,
  status,
  tail,
  capture,
  replay,
  decode,
  exchanges,
  instruments,
  liveCheck,
  simulate,
  simulateCheck,
  schemasCheck,
  schemasRegister,
  topicsPlan,
  topicsApply,
  configCheck,
  configPrint,
  configSchemaVerb
]
