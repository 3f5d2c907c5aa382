import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Authority } from './certificates.mjs'
import { formattedFolder } from './install.mjs'
import { brokerSettings } from './kafka-config.mjs'
import { probeKafka } from './probe.mjs'
import { brokerProcess, startOn } from './start.mjs'

/** Who may log in; of the SCRAM mechanisms the data folder knows this user from its format on. */
const user = { username: 'alice', password: 'alice-secret' }
const scramMechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512']

/** The broker's certificate is for this host, and so for no address of a number. */
const certifiedHost = 'localhost'

/**
 * Its doors, each on a port of its own: `plain` for whoever prepares a test (super user), `tls`, `tlsElsewhere` which sends
 * its clients on to an address that is not in the certificate, `mutualTls` which asks for a certificate, `sasl`, `saslTls`.
 */
const doors = [
  { name: 'plain', protocol: 'PLAINTEXT', advertised: certifiedHost },
  { name: 'tls', protocol: 'SSL', advertised: certifiedHost },
  { name: 'tlsElsewhere', protocol: 'SSL', advertised: '127.0.0.1' },
  { name: 'mutualTls', protocol: 'SSL', advertised: certifiedHost },
  { name: 'sasl', protocol: 'SASL_PLAINTEXT', advertised: certifiedHost },
  { name: 'saslTls', protocol: 'SASL_SSL', advertised: certifiedHost }
]

const listenerOf = ({ name }) => name.toUpperCase()

function saslSettings() {
  const { username, password } = user
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";`
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const listeners = doors.filter(({ protocol }) => protocol.startsWith('SASL')).map(listenerOf)
  return Object.fromEntries(
    listeners.flatMap(listener => {
      const prefix = `listener.name.${listener.toLowerCase()}`
      return [
        [`${prefix}.plain.sasl.jaas.config`, plain],
        ...scramMechanisms.map(each => [`${prefix}.${each.toLowerCase()}.sasl.jaas.config`, scram])
      ]
    })
  )
}

function guardedSettings(ports, controllerPort, folder) {
  const withPorts = doors.map((door, index) => ({ ...door, port: ports[index] }))
  return {
    ...brokerSettings(ports[0], controllerPort),
    listeners: [
      ...withPorts.map(door => `${listenerOf(door)}://127.0.0.1:${door.port}`),
      `CONTROLLER://127.0.0.1:${controllerPort}`
    ].join(','),
    'advertised.listeners': withPorts
      .map(door => `${listenerOf(door)}://${door.advertised}:${door.port}`)
      .join(','),
    'listener.security.protocol.map': [
      ...doors.map(door => `${listenerOf(door)}:${door.protocol}`),
      'CONTROLLER:PLAINTEXT'
    ].join(','),
    'inter.broker.listener.name': listenerOf(doors[0]),
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(folder, 'broker.pem'),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': join(folder, 'ca.pem'),
    'listener.name.mutualtls.ssl.client.auth': 'required',
    'sasl.enabled.mechanisms': ['PLAIN', ...scramMechanisms].join(','),
    ...saslSettings(),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    'allow.everyone.if.no.acl.found': true
  }
}

/** PEM files of everybody in the test; `strangerCaFile` is an authority that signed nothing here. */
function writeCertificates(folder) {
  const authority = new Authority('coin-stream test CA')
  const broker = authority.issue(certifiedHost)
  const client = authority.issue('coin-stream')
  const file = (name, text) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  file('broker.pem', broker.key + broker.certificate)
  return {
    caFile: file('ca.pem', authority.certificate),
    certFile: file('client.pem', client.certificate),
    keyFile: file('client-key.pem', client.key),
    strangerCaFile: file('stranger-ca.pem', new Authority('a stranger').certificate)
  }
}

async function guardedOn([controllerPort, ...ports], folder) {
  const { username, password } = user
  const scram = scramMechanisms.flatMap(each => ['-S', `${each}=[name=${username},password=${password}]`])
  return brokerProcess({
    name: 'kafka-guarded',
    folder,
    probe: () => probeKafka(ports[0]),
    formatted: await formattedFolder('scram', brokerSettings(1, 2), scram),
    settings: guardedSettings(ports, controllerPort, folder)
  })
}

/** One broker behind TLS, SASL and an authorizer. It denies nothing yet: tests make rules through the plain door. */
export async function startGuardedKafka(folder) {
  const home = join(folder, 'guarded')
  let files
  const make = (ports, attemptFolder) => {
    files = writeCertificates(attemptFolder)
    return guardedOn(ports, attemptFolder)
  }
  const { service, ports } = await startOn(make, 1 + doors.length, home)
  const addresses = doors.map(({ name }, index) => [name, `${certifiedHost}:${ports[index + 1]}`])
  return {
    greeting: {
      ...Object.fromEntries(addresses),
      user,
      files
    },
    verbs: {},
    remove: () => service.remove()
  }
}
