import { type MessagePort } from 'node:worker_threads'

/** What the echo thread is given, what it is told, and what it says. With a port it says that it is ready there as well. */
export interface EchoData {
  readonly pod: string
  readonly port?: MessagePort
}

export type EchoOrder =
  | { readonly echo: string }
  | { readonly size: ArrayBuffer }
  | { readonly end: 'throw' | number }

export interface EchoReport {
  readonly ready?: string
  readonly echo?: string
  readonly size?: number
}
