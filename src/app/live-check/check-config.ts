import { loadConfig } from '../../config/load.ts'
import { type Config } from '../../config/schema.ts'

/**
 * The defaults, whatever this machine's configuration says: a report must not depend on it, and its pod, by default the
 * machine's name, stands in the connection ids that error messages quote.
 */
export const checkConfig: Config = loadConfig({
  file: null,
  env: {},
  flags: [
    { flag: 'live-check', path: 'pod', text: 'live-check' },
    { flag: 'live-check', path: 'kafka.brokers', text: '' }
  ]
}).config
