import { contenderPlan, serveReadings } from './messages.ts'
import { naiveRecord } from './naive-record.ts'
import { openBaselineSink } from './sink.ts'
import { openSockets } from './sockets.ts'

// Baseline (a): one thread does everything, one frame at a time.
const plan = contenderPlan()
const sink = await openBaselineSink(plan)
let frameSeq = 0
openSockets(
  plan,
  () => sink.pendingBytes(),
  frame => {
    const record = naiveRecord(frame.toString(), Date.now() * 1000, ++frameSeq)
    if (record !== null) sink.publish(record.topic, record.key, record.value)
  }
)
serveReadings(
  () => ({ records: sink.acknowledged(), dropped: 0 }),
  async () => undefined
)
