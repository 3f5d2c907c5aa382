import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { type ReadRecord } from './broker-double/record-batch.ts'

const run = promisify(execFile)
const source = resolve('tests/support/ReadBack.java')

export interface JavaReader {
  readonly java: string
  readonly classPath: string
}

interface Installed {
  kafkaHome(): Promise<string>
  javaHome(): Promise<{ java: string }>
}

/**
 * Java with Kafka's own jars, where the services run from them; else a sentence why not. A Java without a compiler can run
 * the broker, but not our source.
 */
export async function javaReader(): Promise<JavaReader | string> {
  if (process.env['COIN_STREAM_KAFKA_PID'] === undefined) {
    return 'Kafka does not run from jars of this machine, which its Java consumer would need'
  }
  const url = pathToFileURL(resolve('scripts/services/install.mjs')).href
  const installed = (await import(url)) as Installed
  const { java } = await installed.javaHome()
  const { stdout } = await run(java, ['--list-modules'])
  if (!stdout.includes('jdk.compiler')) return `${java} has no compiler`
  return { java, classPath: join(await installed.kafkaHome(), 'libs', '*') }
}

export interface JavaRecord extends ReadRecord {
  readonly partition: number
  readonly offset: number
}

interface Line {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string
  readonly value: string
  readonly headers: readonly (readonly [string, string])[]
}

const decoded = (text: string): Buffer => Buffer.from(text, 'base64')

/** All records of a topic, read by Java's consumer; in order per partition. */
export async function readWithJava(
  { java, classPath }: JavaReader,
  brokers: string,
  topic: string
): Promise<JavaRecord[]> {
  const jvm = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn']
  const { stdout } = await run(java, [...jvm, '-cp', classPath, source, brokers, topic], {
    maxBuffer: 256 * 1024 * 1024
  })
  const lines = stdout.split('\n').filter(line => line !== '')
  assert.ok(lines.length > 0, 'Java read nothing')
  return lines.map(text => {
    const { key, value, headers, ...rest } = JSON.parse(text) as Line
    return {
      ...rest,
      key: decoded(key),
      value: decoded(value),
      headers: headers.map(([name, content]) => [decoded(name).toString(), decoded(content)] as const)
    }
  })
}
