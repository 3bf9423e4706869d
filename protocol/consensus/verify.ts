import type { StructValue } from '../codec/index.ts';
import { detailHashOf, type CertifiedCheckpoint } from '../membership/index.ts';
import type { Command, Hash32, ReplicaIndex } from '../types/index.ts';
import { fits, hasBit } from './bitmap.ts';
import { blockHashOf, entriesRootOf, type Block, type Qc } from './block.ts';
import { configHash, quorum, type GroupConfig } from './config.ts';
import { batchRootOf, type KnownEntry } from './entry.ts';
import {
  statementOf, type BatchCert, type BlocksMessage, type Message, type ProposalMessage, type RecalledMessage, type SignedMessage, type TcVote,
  type ViewChangeMessage,
} from './message.ts';
import { ALL_RULES, type Rules } from './rules.ts';
import { verifierOf, type Verifier } from './verifier.ts';
import { ackedRootOf } from './view/acked-root.ts';

/** Everything a check needs: whose roster, how many make a quorum, how signatures are verified. */
interface Checks {
  readonly config: GroupConfig;
  readonly q: number;
  readonly verifier: Verifier;
  readonly rules: Rules;
}

const verifiers = new WeakMap<GroupConfig, Verifier>();

/**
 * Whether a message is well-formed, signed by its sender, and every certificate inside it valid for
 * this group and epoch. The host drops what is not; `step` sees only what is.
 */
export function verifyMessage(config: GroupConfig, from: ReplicaIndex, message: Message, verifier?: Verifier): boolean {
  return verifyMessageWith(config, from, message, verifier, ALL_RULES);
}

/** For mutation tests: the same with some rules switched off. */
export function verifyMessageWith(config: GroupConfig, from: ReplicaIndex, message: Message, verifier: Verifier | undefined, rules: Rules): boolean {
  if (from < 0 || from >= config.roster.length) return false;
  let used = verifier ?? verifiers.get(config);
  if (used === undefined) verifiers.set(config, (used = verifierOf(config.domain)));
  return check({ config, q: quorum(config) - rules.quorumShort, verifier: used, rules }, from, message);
}

function check(checks: Checks, from: ReplicaIndex, message: Message): boolean {
  switch (message.kind) {
    case 'fastBatch': return checkBatch(checks, from, message.value, message.entries) && signedBy(checks, from, message);
    case 'fastVote':
    case 'fastAck':
    case 'blockVote': return signedBy(checks, from, message);
    case 'proposal': return checkProposal(checks, message);
    case 'viewChange': return checkViewChange(checks, from, message);
    case 'checkpointVote': return detailHashOf(message.detail) === message.value.detail && signedBy(checks, from, message);
    case 'certificate':
    case 'reject': return checkCerts(checks, message.certs, message.entries);
    case 'submit': return clientSigned(checks, message.command);
    case 'certified': return checkQc(checks, message.qc);
    case 'announce': return here(checks, message.value);
    case 'blocks': return checkBlocks(checks, message);
    case 'recalled': return checkRecalled(checks, message);
    case 'heartbeat': return fits(message.silent, checks.config.roster.length);
    case 'fetch':
    case 'recall': return true;
  }
}

/** Every replica asks for itself, whoever sent the command (§5, 30). */
function clientSigned({ verifier, rules }: Checks, command: Command): boolean {
  return !rules.clientSignatures || verifier.command(command);
}

function here({ config, rules }: Checks, value: { readonly group: Hash32; readonly epoch: bigint }): boolean {
  return value.group === config.group && (value.epoch === config.epoch || !rules.epochsApart);
}

function signedBy(checks: Checks, signer: ReplicaIndex, message: SignedMessage): boolean {
  const { name, value } = statementOf(message);
  return here(checks, value) && checkSignature(checks, signer, name, value as never, message.signature);
}

function checkSignature({ config, verifier }: Checks, signer: ReplicaIndex, ...[name, value, signature]: SignatureArgs): boolean {
  const address = config.roster[signer];
  return address !== undefined && verifier.signature(name, value as never, signature, address);
}

/** A vote inside a certificate. */
function voteSigned(checks: Checks, signer: ReplicaIndex, ...args: SignatureArgs): boolean {
  return !checks.rules.voteSignatures || checkSignature(checks, signer, ...args);
}

type SignatureArgs = [name: Parameters<Verifier['signature']>[0], value: unknown, signature: SignedMessage['signature']];

function checkBatch(checks: Checks, from: ReplicaIndex, value: StructValue<'FastBatch'>, entries: readonly KnownEntry[]): boolean {
  if (value.gateway !== from || value.count !== entries.length || entries.length === 0) return false;
  if (value.batchRoot !== batchRootOf(entries.map(({ id }) => id))) return false;
  return entries.every(({ command }) => clientSigned(checks, command));
}

/** A proposal may be relayed: it is the leader's signature that counts. */
function checkProposal(checks: Checks, message: ProposalMessage): boolean {
  const { value, block, parentQc, certs, tc } = message;
  const { header } = block;
  const leader = Number(value.view % BigInt(checks.config.roster.length));
  if (value.view !== header.view || value.round !== header.round || value.blockHash !== blockHashOf(header)) return false;
  if (!checkBlock(checks, block) || !signedBy(checks, leader, message)) return false;
  if (parentQc !== null && (parentQc.blockHash !== header.parent || !checkQc(checks, parentQc))) return false;
  if (!certs.every((cert) => checkCert(checks, cert))) return false;
  if (!block.entries.every((entry) => entry.certView === null || covered(checks, certs, entry.id, entry.certView))) return false;
  return tc.every((vote) => checkTcVote(checks, vote, header.view));
}

function checkBlock(checks: Checks, { header, entries }: Block): boolean {
  if (!here(checks, header) || header.count !== entries.length || header.entriesRoot !== entriesRootOf(entries)) return false;
  return entries.every(({ command }) => clientSigned(checks, command));
}

function covered({ q }: Checks, certs: readonly BatchCert[], id: string, view: bigint): boolean {
  return certs.some((cert) => {
    const index = cert.view === view ? cert.entryIds.findIndex((each) => each === id) : -1;
    return index >= 0 && cert.votes.filter(({ accept }) => hasBit(accept, index)).length >= q;
  });
}

function checkTcVote(checks: Checks, { signer, value, acked, signature }: TcVote, view: bigint): boolean {
  return value.newView === view && here(checks, value) && value.ackedRoot === ackedRootOf(acked)
    && checkSignature(checks, signer, 'ViewChange', value, signature);
}

function checkViewChange(checks: Checks, from: ReplicaIndex, message: ViewChangeMessage): boolean {
  const { value, highQc, acked, certs, entries } = message;
  if (value.ackedRoot !== ackedRootOf(acked) || !signedBy(checks, from, message)) return false;
  if (highQc === null ? value.qcView !== 0n || value.qcRound !== 0 : !sameQc(value, highQc) || !checkQc(checks, highQc)) return false;
  if (!checkCerts(checks, certs, entries)) return false;
  const bodies = new Set(entries.map(({ id }) => id));
  return acked.every(({ id, certView }) => bodies.has(id) && covered(checks, certs, id, certView));
}

function sameQc(value: StructValue<'ViewChange'>, qc: Qc): boolean {
  return value.qcView === qc.view && value.qcRound === qc.round && value.qcBlock === qc.blockHash;
}

export function checkQc(checks: Checks, { view, round, blockHash, votes }: Qc): boolean {
  const { group, epoch } = checks.config;
  return ascending(checks, votes) && votes.length >= checks.q && votes.every(({ signer, qcView, qcRound, signature }) =>
    voteSigned(checks, signer, 'BlockVote', { group, epoch, view, round, blockHash, qcView, qcRound }, signature));
}

function checkCerts(checks: Checks, certs: readonly BatchCert[], entries: readonly KnownEntry[]): boolean {
  return certs.every((cert) => checkCert(checks, cert)) && entries.every(({ command }) => clientSigned(checks, command));
}

function checkCert(checks: Checks, { view, batchRoot, entryIds, votes }: BatchCert): boolean {
  const { group, epoch } = checks.config;
  if (!ascending(checks, votes) || batchRootOf(entryIds) !== batchRoot) return false;
  return votes.every(({ signer, accept, signature }) =>
    fits(accept, entryIds.length) && voteSigned(checks, signer, 'FastVote', { group, epoch, view, batchRoot, accept }, signature));
}

/** Each signer once (consensus §5, 13). */
function ascending({ rules }: Checks, votes: readonly { readonly signer: ReplicaIndex }[]): boolean {
  return !rules.distinctVoters || votes.every(({ signer }, i) => i === 0 || signer > (votes[i - 1]?.signer ?? 0));
}

function checkBlocks(checks: Checks, { blocks, checkpoint, checkpointBlock }: BlocksMessage): boolean {
  const all = checkpointBlock === null ? blocks : [...blocks, checkpointBlock];
  if (!all.every(({ block, qc }) => qc.blockHash === blockHashOf(block.header) && checkBlock(checks, block) && checkQc(checks, qc))) return false;
  if (checkpoint === null) return checkpointBlock === null;
  const sameHeight = checkpointBlock === null || checkpointBlock.block.header.height === checkpoint.checkpoint.height;
  return sameHeight && checkCheckpoint(checks, checkpoint);
}

function checkCheckpoint(checks: Checks, { checkpoint, detail, signatures }: CertifiedCheckpoint): boolean {
  if (!here(checks, checkpoint) || detailHashOf(detail) !== checkpoint.detail || detail.configHash !== configHash(checks.config)) return false;
  const votes = signatures.map(({ replica, signature }) => ({ signer: replica, signature }));
  return ascending(checks, votes) && votes.length >= checks.q
    && votes.every(({ signer, signature }) => checkSignature(checks, signer, 'Checkpoint', checkpoint, signature));
}

/**
 * Statements in a `recalled` message are the receiver's own. Which member signed them is open here;
 * `onRecalled` counts only those of its own key, so all three must be of one member.
 */
function checkRecalled(checks: Checks, { subject, blockVote, fastAck, viewChange }: RecalledMessage): boolean {
  return (blockVote === null || signedBy(checks, subject, blockVote)) && (fastAck === null || signedBy(checks, subject, fastAck))
    && (viewChange === null || (here(checks, viewChange.value) && checkSignature(checks, subject, 'ViewChange', viewChange.value, viewChange.signature)));
}
