import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type RegistryAccess } from '../../../src/bus/registry-http.ts'
import { SchemaRegistry } from '../../../src/bus/schema-registry.ts'
import { json, StubRegistry } from '../../support/stub-registry.ts'

interface Issued {
  readonly key: string
  readonly certificate: string
}

interface Authority {
  readonly certificate: string
  issue(dnsName: string): Issued
}

const script = pathToFileURL(resolve('scripts/services/certificates.mjs')).href
const certificates = (await import(script)) as { readonly Authority: new (name: string) => Authority }
const none = json(404, { error_code: 40401, message: 'not found' })

suite('a registry behind TLS', () => {
  const authority = new certificates.Authority('test authority')
  let folder = ''
  let caFile = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'coin-stream-test-'))
    caFile = join(folder, 'ca.pem')
    writeFileSync(caFile, authority.certificate)
  })
  after(() => rmSync(folder, { recursive: true }))

  /** Asks a server with a certificate for this name, as localhost; answers what it was asked. */
  async function ask(dnsName: string, access: Partial<RegistryAccess>): Promise<string[]> {
    const { key, certificate } = authority.issue(dnsName)
    await using stub = await StubRegistry.start([none], { key, cert: certificate })
    const url = stub.url.replace('127.0.0.1', 'localhost')
    const registry = new SchemaRegistry(stub.access({ url, ...access }))
    try {
      assert.equal(await registry.latest('a-value'), null)
      return stub.asked
    } finally {
      registry.close()
    }
  }

  test('is trusted when its authority is in the file', async () => {
    assert.deepEqual(await ask('localhost', { caFile }), ['GET /subjects/a-value/versions/latest'])
  })

  test('is not trusted otherwise, which is said at once', async () => {
    await assert.rejects(ask('localhost', {}), {
      code: 'REGISTRY_UNAVAILABLE',
      message: /^The schema registry at https:\/\/localhost:\d+ cannot be trusted: unable to verify .+\.$/
    })
  })

  test('is not trusted under another name than its own', async () => {
    await assert.rejects(ask('registry.example', { caFile }), {
      message: /cannot be trusted: Hostname\/IP does not match certificate's altnames: .*registry\.example/
    })
  })

  test('a file of authorities that cannot be read, or holds none, is said', async () => {
    await assert.rejects(ask('localhost', { caFile: join(folder, 'no.pem') }), {
      code: 'FILE_UNREADABLE',
      message: /^registry\.caFile names .+no\.pem, which cannot be read: /
    })
    const broken = join(folder, 'broken.pem')
    writeFileSync(broken, 'not a certificate')
    await assert.rejects(ask('localhost', { caFile: broken }), {
      code: /REGISTRY_UNAVAILABLE|FILE_UNREADABLE/
    })
  })
})
