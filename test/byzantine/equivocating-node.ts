/**
 * A build of the node that votes twice: beside every block vote it signs a vote for another block of the same round and sends
 * both to the same replica.
 *
 *   node test/byzantine/equivocating-node.ts --dir PROVIDER_DIR
 */
import { decodeFrame, encodeFrame } from '../../node/host/frames.ts';
import type { Transport } from '../../node/ports/index.ts';
import { signStruct, type Domain, type StructValue } from '../../protocol/codec/index.ts';
import { commandReader, decodeMessage, encodeMessage, type Message } from '../../protocol/consensus/index.ts';
import { sha256Hex } from '../../protocol/crypto/index.ts';
import { bytesOf, type Address, type Hash32 } from '../../protocol/types/index.ts';
import { runMisbehaving } from './build.ts';

function equivocating(transport: Transport, key: Uint8Array, domain: Domain): Transport {
  const read = commandReader(domain);
  return {
    ...transport,
    self: transport.self,
    send(to: Address, data: Uint8Array): void {
      transport.send(to, data);
      const frame = decodeFrame(data);
      if (frame.kind !== 'consensus') return;
      const message = decodeMessage(frame.message, read);
      for (const vote of twinsOf(message)) {
        const signature = signStruct(domain, 'BlockVote', vote, key);
        transport.send(to, encodeFrame({ ...frame, message: encodeMessage({ kind: 'blockVote', value: vote, signature }) }));
      }
    },
  };
}

/** A second vote beside each vote; beside each own proposal, which needs no vote on the wire, two votes. */
function twinsOf(message: Message): StructValue<'BlockVote'>[] {
  if (message.kind === 'blockVote') return [{ ...message.value, blockHash: another(message.value.blockHash) }];
  if (message.kind !== 'proposal') return [];
  const vote = { ...message.value, qcView: 0n, qcRound: 0 };
  return [vote, { ...vote, blockHash: another(vote.blockHash) }];
}

function another(hash: Hash32): Hash32 {
  return sha256Hex(bytesOf(hash));
}

await runMisbehaving(equivocating);
