/**
 * Error codes that the double answers by itself; scripts name any by number.
 * @see https://kafka.apache.org/protocol.html#protocol_error_codes
 */
export const codes = {
  none: 0,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  messageTooLarge: 10,
  invalidRequiredAcks: 21,
  invalidTimestamp: 32,
  unsupportedSaslMechanism: 33,
  unsupportedVersion: 35,
  invalidRequest: 42,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  saslAuthenticationFailed: 58,
  unknownProducerId: 59,
  unsupportedCompression: 76,
  invalidRecord: 87
} as const
