import { Piscina } from 'piscina'
import { contenderPlan, serveReadings } from './messages.ts'
import { type NaiveRecord } from './naive-record.ts'
import { type FrameTask } from './per-message-worker.ts'
import { openBaselineSink } from './sink.ts'
import { openSockets } from './sockets.ts'

// Baseline (b): every frame is a task of a Piscina pool. A careful program would pause its sockets when too many tasks
// are under way; here the excess is dropped, and counted.
const tasksMax = 2_000
const plan = contenderPlan()
const sink = await openBaselineSink(plan)
const pool = new Piscina<FrameTask, NaiveRecord | null>({
  filename: new URL('./per-message-worker.js', import.meta.url).href,
  minThreads: 1,
  maxThreads: 1
})
let tasks = 0
let dropped = 0
let frameSeq = 0
let isStopping = false
openSockets(
  plan,
  () => sink.pendingBytes(),
  frame => {
    frameSeq++
    if (tasks >= tasksMax) {
      dropped++
      return
    }
    tasks++
    pool
      .run({ text: frame.toString(), receivedMicros: Date.now() * 1000, frameSeq })
      .then(record => {
        if (record !== null) sink.publish(record.topic, record.key, record.value)
      })
      .finally(() => tasks--)
      .catch((error: unknown) => {
        if (isStopping) return
        process.stderr.write(`${String(error)}\n`)
        process.exit(1)
      })
  }
)
serveReadings(
  () => ({ records: sink.acknowledged(), dropped }),
  async () => {
    isStopping = true
    await pool.destroy()
  }
)
