import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../../node/config/index.ts';
import { startNode } from '../../node/main.ts';
import type { Transport } from '../../node/ports/index.ts';
import { loadKeystore } from '../../node/signer/index.ts';
import type { Domain } from '../../protocol/codec/index.ts';
import { loadDeployment } from '../../contracts/index.ts';

/**
 * Runs a build of the node that misbehaves on the wire, `--dir PROVIDER_DIR`: the node itself stays honest and knows nothing of
 * what the wrapper says with its key. Never part of the product; the demo and the tests run such builds to see them convicted.
 */
export async function runMisbehaving(wrap: (transport: Transport, key: Uint8Array, domain: Domain) => Transport): Promise<void> {
  const { values } = parseArgs({ options: { dir: { type: 'string' } } });
  const dir = values.dir as string;
  const password = readFileSync(join(dir, 'password'), 'utf8').trim();
  const config = loadConfig(dir);
  const key = await loadKeystore({ path: config.nodeKeyFile, password });
  const { domain } = loadDeployment(31_337, config.chain.deployment);
  const node = await startNode({ dir, password, wrapTransport: (transport) => wrap(transport, key, domain) });
  await node.ended;
}
