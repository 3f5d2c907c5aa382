import { Piscina } from 'piscina'
import { contenderPlan, serveReadings } from './messages.ts'
import { type NaiveRecord } from './normalise.ts'
import { openBaselineSink } from './sink.ts'
import { openSockets } from './sockets.ts'

// Baseline (b): every frame is a task of a Piscina pool. Frames beyond the pool's queue are not read ahead without end:
// the sockets would be paused by a careful program, here the excess is dropped and not counted.
const tasksMax = 2_000
const plan = contenderPlan()
const sink = await openBaselineSink(plan)
const pool = new Piscina({
  filename: new URL('./per-message-worker.js', import.meta.url).href,
  minThreads: 1,
  maxThreads: 1
})
let tasks = 0
openSockets(plan, frame => {
  if (tasks >= tasksMax) return
  tasks++
  pool
    .run({ text: frame.toString(), receivedMicros: Date.now() * 1000 })
    .then((record: NaiveRecord | null) => {
      if (record !== null) sink.publish(record.topic, record.key, record.value)
    })
    .finally(() => tasks--)
    .catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      process.exit(1)
    })
})
serveReadings(sink.acknowledged, () => pool.destroy())
