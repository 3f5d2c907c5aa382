import { join } from 'node:path'
import { CuttingProxy } from './cutting-proxy.mjs'
import { formattedFolder, kafkaHome } from './install.mjs'
import { brokerSettings } from './kafka-config.mjs'
import { probeKafka } from './probe.mjs'
import { brokerProcess, startOn } from './start.mjs'

const nodeIds = [1, 2, 3]
const portsOfNode = 3

/**
 * Node 1 is the only controller, so that 2 and 3 can die at any time. Clients come in through a proxy, the brokers talk to
 * one another directly. Leaders go back to the first replica as soon as it is in sync, so that each death makes two elections.
 */
function clusterSettings(nodeId, ports, controllerPort) {
  const isController = nodeId === 1
  const own = `CLIENT://127.0.0.1:${ports.client},INTERNAL://127.0.0.1:${ports.internal}`
  const controller = `CONTROLLER://127.0.0.1:${controllerPort}`
  return {
    ...brokerSettings(ports.client, controllerPort),
    'process.roles': isController ? 'broker,controller' : 'broker',
    'node.id': nodeId,
    listeners: isController ? `${own},${controller}` : own,
    'advertised.listeners': `CLIENT://127.0.0.1:${ports.proxy},INTERNAL://127.0.0.1:${ports.internal}`,
    'inter.broker.listener.name': 'INTERNAL',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT',
    'default.replication.factor': 3,
    'min.insync.replicas': 2,
    'offsets.topic.replication.factor': 3,
    'transaction.state.log.replication.factor': 3,
    'transaction.state.log.min.isr': 2,
    'broker.session.timeout.ms': 2000,
    'broker.heartbeat.interval.ms': 250,
    'leader.imbalance.check.interval.seconds': 1
  }
}

async function formattedNode(nodeId) {
  if (nodeId === 1) return join(await kafkaHome(), 'formatted')
  const settings = clusterSettings(nodeId, { client: 1, internal: 2, proxy: 3 }, 4)
  return formattedFolder(`node-${nodeId}`, settings)
}

/** A broker with its proxy: whoever is dead does not take connections either. */
class Node {
  constructor(id, ports, service) {
    this.id = id
    this.ports = ports
    this.service = service
    this.proxy = new CuttingProxy(ports.proxy, ports.client)
  }

  async start() {
    if (this.service.isRunning) return
    await this.service.start()
    await this.proxy.listen()
  }

  async end(how) {
    this.proxy.close()
    await how()
  }
}

/** Three brokers that are started together and end together. */
class Cluster {
  constructor(nodes) {
    this.nodes = nodes
  }

  start() {
    return Promise.all(this.nodes.map(node => node.start()))
  }

  /** Nothing of the data is wanted any more, so nobody waits for an orderly end. */
  async remove() {
    await Promise.all(this.nodes.map(node => node.end(() => node.service.signal('SIGKILL'))))
    await Promise.all(this.nodes.map(({ service }) => service.remove()))
  }
}

async function clusterOn([controllerPort, ...ports], folder) {
  const nodes = []
  for (const [index, id] of nodeIds.entries()) {
    const [client, internal, proxy] = ports.slice(portsOfNode * index)
    const own = { client, internal, proxy }
    const service = await brokerProcess({
      name: `kafka-${id}`,
      folder,
      probe: () => probeKafka(own.internal, id),
      formatted: await formattedNode(id),
      settings: clusterSettings(id, own, controllerPort)
    })
    nodes.push(new Node(id, own, service))
  }
  return new Cluster(nodes)
}

/**
 * Three brokers with proxies. Verbs take a node number; without one they mean all nodes, `start` those that are down.
 * `brokers` are the proxies, `direct` goes around them.
 */
export async function startCluster(folder) {
  const { service: cluster } = await startOn(
    clusterOn,
    1 + portsOfNode * nodeIds.length,
    join(folder, 'cluster')
  )
  const { nodes } = cluster
  const chosen = text => {
    if (text === undefined) return nodes
    const node = nodes.find(({ id }) => String(id) === text)
    if (node === undefined) throw new Error(`there is no node ${text}`)
    return [node]
  }
  const each = act => async text => {
    await Promise.all(chosen(text).map(act))
  }
  return {
    greeting: {
      brokers: nodes.map(({ ports }) => `127.0.0.1:${ports.proxy}`).join(','),
      direct: nodes.map(({ ports }) => `127.0.0.1:${ports.internal}`).join(',')
    },
    verbs: {
      kill: each(node => node.end(() => node.service.signal('SIGKILL'))),
      stop: each(node => node.end(() => node.service.stop())),
      freeze: each(({ service }) => service.signal('SIGSTOP')),
      resume: each(({ service }) => service.signal('SIGCONT')),
      start: each(node => node.start()),
      cut: async text => chosen(text).reduce((sum, { proxy }) => sum + proxy.cut(), 0),
      'cut-after-write': each(({ proxy }) => proxy.cutAfterWrite())
    },
    remove: () => cluster.remove()
  }
}
