import { createTranscoder, type Transcoder } from '../../src/codec/transcode.ts'
import { type ExchangeName, type RequestType, requestTypes } from '../../src/domain/target.ts'
import { adapters } from '../../src/exchanges/registry.ts'
import { FrameBatchWriter, FrameKind, unknownSubscription } from '../../src/wire/frame-batch.ts'
import { RecordBatch } from '../../src/wire/record-batch.ts'
import { fixtures } from '../../tests/fixtures/registry.ts'
import { fixtureContext } from '../../tests/support/codec.ts'
import { ambientDoubts } from '../doubts.ts'
import { type Finding, finding, median } from '../figure.ts'
import { type Drawing } from '../report/drawings.ts'
import { type BenchContext, type Suite, type SuiteOutcome } from '../suite.ts'
import { microsPerRun } from './slices.ts'

const framesPerBatch = 256
const warmUpRuns = 40
const roundsMin = 5
const startMicros = 1_790_000_000_000_000

export const venuesSuite: Suite = {
  name: 'venues',
  figures: ['codec.us_per_event', 'codec.events_per_frame', 'codec.us_per_event_over_median'],
  needsKafka: false,
  run: async context => decodeSpeeds(context)
}

/** One channel of one venue: a batch of its frames, again and again. */
interface Lane {
  readonly name: string
  readonly frames: number
  readonly events: number
  readonly run: () => void
  /** Microseconds of processor time per event, one for each round. */
  readonly micros: number[]
}

/**
 * What it takes to make records of the frames of every venue, by channel. The frames are those of the test fixtures, so
 * that books are a few levels deep: a figure tells what the shape of a venue's frames costs, not what its traffic does.
 */
function decodeSpeeds({ pace, ambient }: BenchContext): SuiteOutcome {
  const transcoder = createTranscoder()
  const lanes = (Object.keys(adapters) as (keyof typeof adapters)[]).flatMap(exchange =>
    requestTypes.map(requestType => newLane(transcoder, exchange, requestType))
  )
  const sliceMs = pace.isQuick ? 25 : 80
  // Everybody once before anybody counts: code that has seen one shape only is faster than a service ever is.
  for (const lane of lanes) for (let run = 0; run < warmUpRuns; run++) lane.run()
  for (let round = 0; round < roundsMin || round < pace.rounds; round++) {
    // Who comes first changes from round to round.
    const order = round % 2 === 0 ? lanes : lanes.toReversed()
    for (const lane of order) lane.micros.push(microsPerRun(lane.run, sliceMs) / lane.events)
  }
  const doubts = ambientDoubts(ambient, [])
  const middle = median(lanes.map(lane => median(lane.micros)))
  const slowest = lanes.reduce((worst, lane) => (median(lane.micros) > median(worst.micros) ? lane : worst))
  const findings: Finding[] = lanes.flatMap(lane => [
    finding(`codec.us_per_event.${lane.name}`, 'µs', lane.micros, doubts),
    finding(`codec.events_per_frame.${lane.name}`, 'events', [lane.events / lane.frames], [])
  ])
  const factors = slowest.micros.map(micros => micros / middle)
  findings.push(finding('codec.us_per_event_over_median', 'of the median', factors, doubts))
  return { findings, drawings: [drawingOf(lanes)] }
}

function newLane(transcoder: Transcoder, exchange: ExchangeName, requestType: RequestType): Lane {
  const fixture = fixtures[exchange]
  // Numbers of hundreds of digits are in the fixtures, but on no venue.
  const frames = fixture.frames.filter(
    frame =>
      frame.requestType === requestType && frame.outcome === 'transcoded' && frame.case !== 'huge number'
  )
  const encoder = new TextEncoder()
  const writer = new FrameBatchWriter(0, Number.MAX_SAFE_INTEGER)
  for (let i = 0; i < framesPerBatch; i++) {
    const { frame, isSnapshot } = frames[i % frames.length]!
    const [kind, subscription] =
      isSnapshot === true ? [FrameKind.snapshot, 0] : [FrameKind.stream, unknownSubscription]
    writer.append(encoder.encode(frame), startMicros + i, i + 1, subscription, kind)
  }
  const batch = writer.take(0)
  const context = fixtureContext(exchange, requestType, fixture)
  return {
    name: `${exchange}/${requestType}`,
    frames: framesPerBatch,
    events: new RecordBatch(transcoder.transcode(batch, context)).records,
    run: () => transcoder.transcode(batch, context),
    micros: []
  }
}

function drawingOf(lanes: readonly Lane[]): Drawing {
  return {
    kind: 'bars',
    title: 'From frame to record, by venue and channel',
    unit: 'µs per event',
    bars: lanes.map(({ name, micros, events, frames }) => ({
      label: name,
      value: median(micros),
      note: `${(events / frames).toFixed(1)} events a frame`
    }))
  }
}
