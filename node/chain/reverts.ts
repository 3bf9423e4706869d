import { Interface } from 'ethers';
import { abis } from '../../contracts/index.ts';
import type { PicoloError } from '../../protocol/errors/index.ts';
import { chainFaults } from './faults.ts';
import type { RpcRefusal } from './rpc.ts';

const judges = [...abis.SlasherConsensus, ...abis.SlasherAnswers, ...abis.SlasherCertificates, ...abis.AvailabilityCourt];
const known = new Interface([...judges, ...abis.StakeVault, ...abis.ClusterRegistry].filter(({ type }) => type === 'error'));

/** Errors that say: this was dealt with before (evidence and challenges are public, somebody else may have been quicker). */
const SETTLED: ReadonlySet<string> = new Set(['AlreadyPunished', 'Absolved', 'NoChallenge', 'ChallengePending', 'CoolDown']);

/** What a contract's refusal means. */
export function revertFault(refusal: RpcRefusal): PicoloError {
  const { message } = refusal.error;
  if (/insufficient funds|doesn't have enough funds/i.test(message)) return chainFaults.noFunds({}, refusal);
  const data = revertData(refusal.error.data);
  if (data === undefined && !/revert/i.test(message)) return chainFaults.refused({ reason: message }, refusal);
  const reason = data === undefined ? undefined : describe(data);
  if (reason !== undefined && SETTLED.has(reason.name)) return chainFaults.settled({ reason: reason.text }, refusal);
  return chainFaults.reverted({ reason: reason?.text ?? message }, refusal);
}

/** Providers wrap the revert data in different depths. */
function revertData(data: unknown): string | undefined {
  if (typeof data === 'string') return /0x[0-9a-fA-F]{8,}/.exec(data)?.[0];
  if (typeof data === 'object' && data !== null) return revertData((data as { data?: unknown }).data);
  return undefined;
}

function describe(data: string): { readonly name: string; readonly text: string } | undefined {
  const parsed = known.parseError(data);
  if (parsed === null) return undefined;
  const args = parsed.args.map((arg: unknown) => String(arg)).join(', ');
  return { name: parsed.name, text: `${parsed.name}(${args})` };
}
