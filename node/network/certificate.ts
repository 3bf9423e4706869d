import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** What TLS needs to speak. It proves nothing about the node: the Hello signature does. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERAL_TIME = 0x18;
const VERSION_TAG = 0xa0;

const ECDSA_SHA256 = Buffer.from('2a8648ce3d040302', 'hex'); // 1.2.840.10045.4.3.2
const COMMON_NAME = Buffer.from('550403', 'hex'); // 2.5.4.3

/**
 * A fresh P-256 key with a self-signed X.509 v3 certificate, made in memory at every start. TLS 1.3
 * wants a certificate, but the node's secp256k1 key cannot sign one, so this one only carries the
 * session; who stands behind it is settled by signatures over the session's exported key.
 */
export function createTlsIdentity(): TlsIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const body = certificateBody(publicKey);
  const signature = sign('sha256', body, privateKey);
  const certificate = der(SEQUENCE, body, algorithm(), der(BIT_STRING, Buffer.from([0]), signature));
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: pem(certificate) };
}

function certificateBody(publicKey: KeyObject): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40; // positive, and no leading zero to strip
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, der(OBJECT_ID, COMMON_NAME), der(UTF8_STRING, Buffer.from('picolo')))));
  // RFC 5280 §4.1.2.5: no well-defined end. The certificate lives as long as the process.
  const validity = der(SEQUENCE, der(UTC_TIME, Buffer.from('200101000000Z')), der(GENERAL_TIME, Buffer.from('99991231235959Z')));
  const version = der(VERSION_TAG, der(INTEGER, Buffer.from([2])));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return der(SEQUENCE, version, der(INTEGER, serial), algorithm(), name, validity, name, spki);
}

function algorithm(): Buffer {
  return der(SEQUENCE, der(OBJECT_ID, ECDSA_SHA256));
}

/** One tag-length-value of the distinguished encoding rules; lengths in their shortest form. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...header]), content]);
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
