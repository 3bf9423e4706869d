/**
 * A build of the node that signs another history: in every list of roots that a peer asks it for, the newest root is another one.
 *
 *   node test/byzantine/rewriting-node.ts --dir PROVIDER_DIR
 */
import { decodeFrame, encodeFrame } from '../../node/host/frames.ts';
import type { Transport } from '../../node/ports/index.ts';
import { decode, encode, signStruct, type Domain } from '../../protocol/codec/index.ts';
import { sha256Hex } from '../../protocol/crypto/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { rootListOf, rootsAnswerW, type RootsAnswer } from '../../protocol/query/index.ts';
import { bytesOf, type Address } from '../../protocol/types/index.ts';
import { runMisbehaving } from './build.ts';

function rewriting(transport: Transport, key: Uint8Array, domain: Domain): Transport {
  return {
    ...transport,
    self: transport.self,
    send(to: Address, data: Uint8Array): void {
      const frame = decodeFrame(data);
      const answer = frame.kind === 'response' && frame.ok ? listIn(frame.body) : undefined;
      if (frame.kind !== 'response' || answer === undefined) return transport.send(to, data);
      const roots = answer.roots.map((root, i) => (i < answer.roots.length - 1 ? root : { ...root, stateRoot: sha256Hex(bytesOf(root.stateRoot)) }));
      const list = rootListOf(answer.list, roots, answer.list, answer.list.issuedAt);
      const body = encode(rootsAnswerW, { roots, list, signature: signStruct(domain, 'RootList', list, key) });
      transport.send(to, encodeFrame({ ...frame, body }));
    },
  };
}

/** Undefined for answers to other questions. */
function listIn(body: Uint8Array): RootsAnswer | undefined {
  try {
    return decode(rootsAnswerW, body);
  } catch (error) {
    if (!isPicoloError(error)) throw error;
    return undefined;
  }
}

await runMisbehaving(rewriting);
