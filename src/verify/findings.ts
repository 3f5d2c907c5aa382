import { type truthFaults } from '../domain/truth.ts'

export type FaultName = (typeof truthFaults)[number]

const samplesPerFault = 5

/** Counts what is wrong and keeps the first few samples of each fault as sentences, so that a red run explains itself. */
export class Findings {
  readonly #samples = new Map<FaultName, string[]>()
  readonly #notes: string[] = []

  /** The sentence is made only while samples of the fault are wanted. */
  sample(fault: FaultName, sentence: () => string): void {
    const samples = this.#samples.get(fault) ?? []
    this.#samples.set(fault, samples)
    if (samples.length < samplesPerFault) samples.push(sentence())
  }

  /** Something about the reading itself that whoever reads the result should know. */
  note(sentence: string): void {
    if (this.#notes.length < samplesPerFault * 4) this.#notes.push(sentence)
  }

  /** Forgets the samples of faults that are counted anew at every evaluation. */
  forget(...faults: readonly FaultName[]): void {
    for (const fault of faults) this.#samples.delete(fault)
  }

  sentences(): string[] {
    const sentences = [...this.#notes]
    for (const [fault, samples] of this.#samples) {
      for (const sample of samples) sentences.push(`${fault}: ${sample}`)
    }
    return sentences
  }
}
