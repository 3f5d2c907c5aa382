/** A parsed control frame or REST body. Numbers are kept as the text the venue sent. */
export type JsonValue = string | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }
