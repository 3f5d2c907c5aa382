import { contenderPlan, serveReadings } from './messages.ts'
import { normalise } from './normalise.ts'
import { openBaselineSink } from './sink.ts'
import { openSockets } from './sockets.ts'

// Baseline (a): one thread does everything, one frame at a time.
const plan = contenderPlan()
const sink = await openBaselineSink(plan)
openSockets(plan, frame => {
  const record = normalise(frame.toString(), Date.now() * 1000)
  if (record !== null) sink.publish(record.topic, record.key, record.value)
})
serveReadings(sink.acknowledged, async () => undefined)
