/** Codecs of a record batch, by the names that topics and clients use for them. */
export const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type CompressionName = (typeof compressionNames)[number]

export const producerProfiles = ['throughput', 'latency'] as const
export type ProducerProfile = (typeof producerProfiles)[number]

/** How records are gathered into batches and sent: the profile with what the configuration sets itself. */
export interface ProducerTuning {
  /** A record that meets an idle broker waits this long for others. */
  readonly lingerMinMs: number
  /** The longest that a record waits for others of its partition. */
  readonly lingerMaxMs: number
  /** Uncompressed bytes at which a batch is full. */
  readonly batchBytes: number
  /** A quarter of it bounds the linger of cold partitions. */
  readonly latencyTargetMs: number
  readonly compression: CompressionName
  /** Topics with a codec of their own. */
  readonly compressionByTopic: Readonly<Record<string, CompressionName>>
  /** Memory of batches from append to acknowledgement, in bytes. */
  readonly bufferBytes: number
  /** Bytes of batches in one request. */
  readonly requestBytesMax: number
  /** From a batch's first record to its end, acknowledged or not. */
  readonly deliveryTimeoutMs: number
}

interface ProfileBounds {
  readonly lingerMinMs: number
  readonly lingerMs: number
  readonly batchBytes: number
  readonly latencyTargetMs: number
}

const kib = 1024

export const profileBounds: Readonly<Record<ProducerProfile, ProfileBounds>> = {
  throughput: { lingerMinMs: 5, lingerMs: 50, batchBytes: 128 * kib, latencyTargetMs: 200 },
  latency: { lingerMinMs: 1, lingerMs: 5, batchBytes: 64 * kib, latencyTargetMs: 16 }
}

/** The producer's section of the configuration; null is what the profile says. */
export interface ProducerSettings {
  readonly profile: ProducerProfile
  readonly lingerMs: number | null
  readonly batchBytes: number | null
  readonly compression: CompressionName
  /** `topic=codec` */
  readonly compressionByTopic: readonly string[]
  readonly bufferBytes: number
  readonly requestBytesMax: number
  readonly deliveryTimeoutMs: number
}

export function tuningOf(settings: ProducerSettings): ProducerTuning {
  const bounds = profileBounds[settings.profile]
  const { compression, bufferBytes, requestBytesMax, deliveryTimeoutMs } = settings
  const lingerMaxMs = settings.lingerMs ?? bounds.lingerMs
  return {
    lingerMinMs: Math.min(bounds.lingerMinMs, lingerMaxMs),
    lingerMaxMs,
    batchBytes: settings.batchBytes ?? bounds.batchBytes,
    // A linger that was asked for is not cut short by the profile's target.
    latencyTargetMs:
      settings.lingerMs === null
        ? bounds.latencyTargetMs
        : Math.max(bounds.latencyTargetMs, settings.lingerMs * 4),
    compression,
    compressionByTopic: Object.fromEntries(
      settings.compressionByTopic.map(text => text.split('=') as [string, CompressionName])
    ),
    bufferBytes,
    requestBytesMax,
    deliveryTimeoutMs
  }
}
