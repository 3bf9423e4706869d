import { createMemoryChain } from '../../../node/memory/index.ts';
import { ZERO_ADDRESS } from '../../../protocol/types/index.ts';
import { chainConformance } from '../../conformance/chain.ts';

chainConformance('memory', async () => {
  const chain = createMemoryChain();
  return {
    port: chain.port(),
    register: async (node) => chain.mine({ nodes: [node] }),
    createCluster: async (cluster) => chain.mine({ clusters: [cluster] }),
    startEpoch: async (group) => chain.mine({ groups: [group] }),
    closeGroup: async (group) => chain.mine({ groups: [{ ...group, open: false }] }),
    openChannel: async ({ amountWei, payer, ...rest }) =>
      chain.mine({ channels: [{ ...rest, payer, signer: payer, token: ZERO_ADDRESS, depositWei: amountWei, closeAt: 0n }] }),
    setLevel: async (account, level) => chain.mine({ levels: [[account, level]] }),
    openChallenge: async (challenge) => chain.mine({ challenges: [challenge] }),
    closeChallenge: async (challenge) => chain.mine({ closed: [challenge] }),
    close: async () => undefined,
  };
});
