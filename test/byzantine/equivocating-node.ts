/**
 * A build of the node that votes twice: for every block vote it also signs a vote for another block of the same round and
 * sends it to the same leader. Never part of the product; the demo and the tests run it to see it convicted.
 *
 *   node test/byzantine/equivocating-node.ts --dir PROVIDER_DIR
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../../node/config/index.ts';
import { decodeFrame, encodeFrame } from '../../node/host/frames.ts';
import { startNode } from '../../node/main.ts';
import type { Transport } from '../../node/ports/index.ts';
import { loadKeystore } from '../../node/signer/index.ts';
import { signStruct, type Domain } from '../../protocol/codec/index.ts';
import { commandReader, decodeMessage, encodeMessage } from '../../protocol/consensus/index.ts';
import { sha256Hex } from '../../protocol/crypto/index.ts';
import { loadDeployment } from '../../contracts/index.ts';
import { bytesOf, type Address } from '../../protocol/types/index.ts';

/** Wraps the wire: the node itself stays honest and knows nothing of its second votes. */
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
      if (message.kind !== 'blockVote') return;
      const value = { ...message.value, blockHash: sha256Hex(bytesOf(message.value.blockHash)) };
      const twin = { ...message, value, signature: signStruct(domain, 'BlockVote', value, key) };
      transport.send(to, encodeFrame({ ...frame, message: encodeMessage(twin) }));
    },
  };
}

const { values } = parseArgs({ options: { dir: { type: 'string' } } });
const dir = values.dir as string;
const password = readFileSync(join(dir, 'password'), 'utf8').trim();
const config = loadConfig(dir);
const key = await loadKeystore({ path: config.nodeKeyFile, password });
const { domain } = loadDeployment(31_337, config.chain.deployment);
const node = await startNode({ dir, password, wrapTransport: (transport) => equivocating(transport, key, domain) });
await node.ended;
