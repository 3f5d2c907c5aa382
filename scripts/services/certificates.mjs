import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'

/**
 * Certificates for tests, made where they are used: Node.js can read and check X.509 but not write it, and neither openssl
 * nor keytool are everywhere. Only what a TLS handshake looks at is in them.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280
 */
const daysValid = 2
const dayMs = 86_400_000

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31
}
const oids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  basicConstraints: '2.5.29.19',
  subjectAltName: '2.5.29.17'
}
/** Context tags: the fields of a certificate that are explicit, and the kinds of a name. */
const versionTag = 0xa0
const extensionsTag = 0xa3
const dnsTag = 0x82

function der(tag, ...parts) {
  const body = Buffer.concat(parts)
  const { length } = body
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), body])
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), body])
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), body])
}

function oid(text) {
  const [first, second, ...rest] = text.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift(0x80 | (left & 0x7f))
    bytes.push(...groups)
  }
  return der(tags.oid, Buffer.from(bytes))
}

const name = text =>
  der(
    tags.sequence,
    der(tags.set, der(tags.sequence, oid(oids.commonName), der(tags.utf8, Buffer.from(text))))
  )

/** `YYMMDDHHMMSSZ` */
const time = ms =>
  der(
    tags.utcTime,
    Buffer.from(
      `${new Date(ms)
        .toISOString()
        .replace(/[-:T]|\..*/g, '')
        .slice(2)}Z`
    )
  )

const extension = (id, isCritical, value) =>
  der(
    tags.sequence,
    oid(id),
    ...(isCritical ? [der(tags.boolean, Buffer.of(0xff))] : []),
    der(tags.octetString, value)
  )

const algorithm = der(tags.sequence, oid(oids.ecdsaWithSha256))
const bitString = bytes => der(tags.bitString, Buffer.of(0), bytes)
/** No empty line at the end, however long it is: that would be no PEM. */
const pem = bytes => {
  const lines = bytes.toString('base64').match(/.{1,64}/g)
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function certify({ subject, issuer, publicKey, signingKey, extensions }) {
  const now = Date.now()
  const body = der(
    tags.sequence,
    der(versionTag, der(tags.integer, Buffer.of(2))),
    // Positive and short of 20 bytes, as the standard asks.
    der(tags.integer, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    name(issuer),
    der(tags.sequence, time(now - dayMs), time(now + daysValid * dayMs)),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(extensionsTag, der(tags.sequence, ...extensions))
  )
  const certificate = pem(der(tags.sequence, body, algorithm, bitString(sign('sha256', body, signingKey))))
  // A mistake above shows here and not as a handshake that fails.
  new X509Certificate(certificate)
  return certificate
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' })

/** An authority of its own, whom nobody trusts who was not given its certificate. */
export class Authority {
  #name
  #keys = newKeys()
  /** PEM */
  certificate

  constructor(authorityName) {
    this.#name = authorityName
    const isAuthority = der(tags.sequence, der(tags.boolean, Buffer.of(0xff)))
    this.certificate = certify({
      subject: authorityName,
      issuer: authorityName,
      publicKey: this.#keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [extension(oids.basicConstraints, true, isAuthority)]
    })
  }

  /** Key (PKCS#8) and certificate for one DNS name, PEM both. */
  issue(dnsName) {
    const { publicKey, privateKey } = newKeys()
    const names = der(tags.sequence, der(dnsTag, Buffer.from(dnsName)))
    const certificate = certify({
      subject: dnsName,
      issuer: this.#name,
      publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [extension(oids.subjectAltName, false, names)]
    })
    return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }), certificate }
  }
}
