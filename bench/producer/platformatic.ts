import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { projectFile } from '../project.ts'
import { NodeContestant } from './contestant.ts'

const version = '1.35.0'

/** What the bench takes from the cache of the services. */
interface Cache {
  readonly cached: (name: string, fill: (folder: string) => Promise<void>) => Promise<string>
  readonly run: (command: string, args: readonly string[], what: string) => Promise<void>
}

/**
 * @platformatic/kafka is no dependency of the project: one of its own refuses Node 20, although it runs. It is fetched
 * into the cache when the bench wants it.
 * @throws Error when it cannot be fetched
 */
export async function startPlatformatic(): Promise<NodeContestant> {
  const script = pathToFileURL(projectFile('scripts/services/cache.mjs')).href
  const { cached, run } = (await import(script)) as Cache
  const folder = await cached(`platformatic-kafka-${version}`, target =>
    run(
      'npm',
      [
        'install',
        '--no-save',
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        '--engine-strict=false',
        '--prefix',
        target,
        `@platformatic/kafka@${version}`
      ],
      'Fetching @platformatic/kafka with npm'
    )
  )
  const entry = join(folder, 'node_modules/@platformatic/kafka/dist/index.js')
  return NodeContestant.start('../contenders/producer-platformatic.js', [entry])
}
