import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { formatEther } from 'ethers';
import { disputedResultW, type DisputedResult } from '../../protocol/query/index.ts';
import { addressFrom, hash32From, type Hash32 } from '../../protocol/types/index.ts';
import { runAgain, signedResult } from '../../sdk/index.ts';
import {
  answerDispute, appealDispute, collectCredit, commitBallot, creditOf, disputeById, disputeKinds, disputeResult, disputes, drawCommittee, newBallots,
  openDispute, revealBallot, settleDispute, type DisputeKind, type DisputeView, type Network, type Receipt,
} from '../../sdk/operator/index.ts';
import { keepBallots, readBallots } from '../ballots.ts';
import { connectFrom, openDatabase, withConnection, type ConnectionOptions } from '../connection.ts';
import { cliFaults } from '../faults.ts';
import { hex32, onAccount, onChain, outputOf, wholeNumber, withAccount, withExamples, withWallet } from '../options.ts';
import type { Output } from '../output.ts';

const EXAMPLES: Readonly<Record<string, string>> = {
  evidence: 'evidence --url http://127.0.0.1:4101 -c "SELECT sum(population) FROM cities" --out answer.json',
  check: 'check --evidence answer.json --url http://127.0.0.1:4102',
  open: 'open --evidence answer.json --uri https://example.org/answer.json',
  answer: 'answer --dispute 1 --dir ./provider --uri https://example.org/mine.json',
  draw: 'draw --dispute 1',
  vote: 'vote --dispute 1 --for upheld --dir ./provider',
  reveal: 'reveal --dispute 1 --dir ./provider',
  appeal: 'appeal --dispute 1 --uri https://example.org/why.json',
  settle: 'settle --dispute 1',
  collect: 'collect --dir ./provider',
  list: 'list --dispute 1',
};

export function disputeCommand(): Command {
  const dispute = new Command('dispute').description('Dispute what no contract can judge: a committee of other providers decides.');
  const commands = [
    evidenceCommand(), checkCommand(), openCommand(),
    partyCommand('answer', 'Answer an accusation of your node, with a bond of 200 PINT.', answerDispute),
    drawCommand(), voteCommand(), revealCommand(),
    partyCommand('appeal', 'Take a verdict against you before a larger committee, with a bond of 400 PINT.', appealDispute),
    settleCommand(), collectCommand(), listCommand(),
  ];
  return withExamples(dispute, commands, EXAMPLES);
}

const disputeOption = (): Option => new Option('--dispute <number>', 'the dispute')
  .argParser((text) => BigInt(wholeNumber('--dispute', 1, 2 ** 32)(text))).makeOptionMandatory();
const ballotsOption = (): Option => new Option('--ballots <file>', "file with the secrets of your votes (default: ballots.json in the provider's folder)");
const time = (seconds: bigint): string => new Date(Number(seconds) * 1000).toISOString();

function readEvidence(path: string): DisputedResult {
  try {
    return disputedResultW.fromJson(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw cliFaults.badOption({ option: '--evidence', value: path, expected: 'a file of picolo dispute evidence' }, error);
  }
}

function ballotsFile(options: { readonly ballots?: string; readonly dir?: string }): string {
  if (options.ballots !== undefined) return options.ballots;
  if (options.dir === undefined) throw cliFaults.badOption({ option: '--ballots', expected: 'a file, or --dir' });
  return join(options.dir, 'ballots.json');
}

function evidenceCommand(): Command {
  return withConnection(new Command('evidence'))
    .description('Ask one node, and keep its signed result with the question: only what is signed can be disputed.')
    .option('--database <id>', 'the database (default: the local network\'s)')
    .requiredOption('-c, --command <sql>', 'one SELECT')
    .requiredOption('--out <file>', 'where to write it; jurors must be able to read it')
    .action(async (options, command: Command) => {
      if (existsSync(options.out as string)) throw cliFaults.badOption({ option: '--out', value: options.out as string, expected: 'a file that does not exist' });
      const db = await openDatabase(await connectFrom(options as ConnectionOptions), options as ConnectionOptions);
      const evidence = await signedResult(db, options.command as string);
      writeFileSync(options.out as string, `${JSON.stringify(disputedResultW.toJson(evidence), null, 2)}\n`);
      const { columns, rows } = evidence.answer;
      outputOf(command).table(columns, rows);
      outputOf(command).line(`Kept in ${options.out as string}`);
      outputOf(command).result({ file: options.out, columns, rows });
    });
}

function checkCommand(): Command {
  return withConnection(new Command('check'))
    .description('Run a disputed statement again at its snapshot, with replicas that agree. Nodes keep a day of history: do it at once.')
    .requiredOption('--evidence <file>', 'what the plaintiff published')
    .action(async (options, command: Command) => {
      const evidence = readEvidence(options.evidence as string);
      const connection = { ...options, database: evidence.database } as ConnectionOptions;
      const found = await runAgain(await openDatabase(await connectFrom(connection), connection), evidence);
      const out = outputOf(command);
      out.line(found.honest ? 'The signed result is what the replicas give: vote "rejected".' : 'The replicas agree on another result: vote "upheld".');
      out.table(found.result.columns, found.result.rows);
      out.result({ honest: found.honest, snapshot: found.snapshot, rows: found.result.rows });
    });
}

function openCommand(): Command {
  return withWallet(new Command('open'))
    .description('Dispute a signed result, or accuse a node of something else, with a bond of 200 PINT.')
    .option('--evidence <file>', 'a signed result (picolo dispute evidence)')
    .addOption(new Option('--kind <kind>', 'something else').choices(disputeKinds.slice(1)))
    .option('--node <address>', 'with --kind: the accused node')
    .option('--claim <hash>', 'with --kind: hash of the evidence', hex32('--claim'))
    .requiredOption('--uri <uri>', 'where jurors find the evidence')
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const { evidence, kind, node, claim, uri } = options as { evidence?: string; kind?: DisputeKind; node?: string; claim?: Hash32; uri: string };
      const other = evidence === undefined ? [kind, node, claim] : [];
      if (other.includes(undefined)) throw cliFaults.badOption({ option: '--evidence', expected: 'a file, or --kind, --node and --claim' });
      const receipt = evidence === undefined
        ? await openDispute(network, kind as Exclude<DisputeKind, 'wrong-result'>, addressFrom(node), claim as Hash32, uri)
        : await disputeResult(network, readEvidence(evidence).answer, uri);
      outputOf(command).line(`Dispute ${receipt.dispute}, transaction ${receipt.hash}. The committee can be drawn in a few minutes.`);
      outputOf(command).result(receipt);
    }));
}

/** What a party does with an address of its arguments. */
function partyCommand(name: string, description: string, act: (network: Network, dispute: bigint, uri: string) => Promise<Receipt>): Command {
  return withAccount(new Command(name))
    .description(description)
    .addOption(disputeOption())
    .requiredOption('--uri <uri>', 'where jurors find your arguments')
    .action(async (options, command: Command) => onAccount(options, async (network) => {
      const receipt = await act(network, options.dispute as bigint, options.uri as string);
      outputOf(command).line(`${name}: done, transaction ${receipt.hash}`);
      outputOf(command).result({ dispute: options.dispute, ...receipt });
    }));
}

function drawCommand(): Command {
  return withAccount(new Command('draw'))
    .description('Draw the committee by the randomness of its block; anybody may.')
    .addOption(disputeOption())
    .action(async (options, command: Command) => onAccount(options, async (network) => {
      const committee = await drawCommittee(network, options.dispute as bigint);
      outputOf(command).table(['place', 'seat', 'juror'], committee.map(({ place, seat, juror }) => [place, seat, juror]));
      outputOf(command).result({ dispute: options.dispute, committee });
    }));
}

function voteCommand(): Command {
  return withAccount(new Command('vote'))
    .description('Commit to a vote for all your places. The secrets are saved before anything is sent; reveal with them.')
    .addOption(disputeOption())
    .addOption(new Option('--for <vote>', 'upheld: the node is to blame; rejected: it is not').choices(['upheld', 'rejected']).makeOptionMandatory())
    .addOption(ballotsOption())
    .action(async (options, command: Command) => onAccount(options, async (network) => {
      const ballots = await newBallots(network, options.dispute as bigint, options.for as 'upheld' | 'rejected');
      keepBallots(ballotsFile(options), ballots);
      for (const ballot of ballots) await commitBallot(network, ballot);
      const places = ballots.map(({ place }) => place);
      outputOf(command).line(`Committed for places ${places.join(', ')}; reveal when the time to commit is over`);
      outputOf(command).result({ dispute: options.dispute, places });
    }));
}

function revealCommand(): Command {
  return withAccount(new Command('reveal'))
    .description('Open your votes, when the time to commit is over. Who does not is fined 10 PINT for each.')
    .addOption(disputeOption())
    .addOption(ballotsOption())
    .action(async (options, command: Command) => onAccount(options, async (network) => {
      const { dispute, round, committee } = await disputeById(network, options.dispute as bigint);
      const waiting = committee.filter(({ juror, committed, vote }) => juror === network.account && committed && vote === 'open').map(({ place }) => place);
      const ballots = readBallots(ballotsFile(options)).filter((kept) => kept.dispute === dispute && kept.round === round && waiting.includes(kept.place));
      for (const ballot of ballots) await revealBallot(network, ballot);
      outputOf(command).line(`Revealed ${ballots.length} of ${waiting.length}`);
      outputOf(command).result({ dispute, places: ballots.map(({ place }) => place), waiting: waiting.length });
    }));
}

function settleCommand(): Command {
  return withAccount(new Command('settle'))
    .description('End a dispute whose time is over; anybody may.')
    .addOption(disputeOption())
    .action(async (options, command: Command) => onAccount(options, async (network) => {
      const done = await settleDispute(network, options.dispute as bigint);
      const { verdict, takenWei, feesWei, gasUsed } = done;
      outputOf(command).line(`${verdict}: ${formatEther(takenWei)} PINT of stake taken, jurors earn ${formatEther(feesWei)} PINT (${gasUsed} gas)`);
      outputOf(command).result({ dispute: options.dispute, ...done });
    }));
}

function collectCommand(): Command {
  return withAccount(new Command('collect'))
    .description('Take the bonds and fees that wait for your account.')
    .option('--account <address>', 'for somebody else')
    .action(async (options, command: Command) => onAccount(options, async (network) => {
      const account = options.account === undefined ? network.account : addressFrom(options.account);
      const amountWei = await creditOf(network, account);
      const receipt = await collectCredit(network, account);
      outputOf(command).line(`${formatEther(amountWei)} PINT paid to ${account}`);
      outputOf(command).result({ account, amountWei, ...receipt });
    }));
}

function listCommand(): Command {
  return withWallet(new Command('list'))
    .description('Disputes, their phases and committees.')
    .option('--node <address>', 'only those against this node')
    .option('--dispute <number>', 'only this one', (text) => BigInt(wholeNumber('--dispute', 1, 2 ** 32)(text)))
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const node = options.node === undefined ? null : addressFrom(options.node);
      const found = options.dispute === undefined ? await disputes(network, node) : [await disputeById(network, options.dispute as bigint)];
      found.forEach((one) => show(outputOf(command), one));
      if (found.length === 0) outputOf(command).line('No disputes.');
      outputOf(command).result(found);
    }));
}

function show(out: Output, found: DisputeView): void {
  const { dispute, kind, phase, phaseEnds, verdict, node, plaintiff, claim, uri, answered, appealed, committee, penaltyWei } = found;
  out.title(`Dispute ${dispute}: ${kind}, ${phase === 'settled' ? verdict : `${phase}${phaseEnds === 0n ? '' : ` until ${time(phaseEnds)}`}`}`);
  out.line(`node ${node}, plaintiff ${plaintiff}, claim ${hash32From(claim)}, evidence ${uri}${answered ? ', answered' : ''}${appealed ? ', appealed' : ''}`);
  if (phase !== 'settled') out.line(`upheld, it takes ${formatEther(penaltyWei)} PINT of stake`);
  if (committee.length > 0) {
    const told = ({ vote, committed }: (typeof committee)[number]): string => (vote === 'open' && committed ? 'committed' : vote);
    out.table(['place', 'seat', 'juror', 'vote'], committee.map((one) => [one.place, one.seat, one.juror, told(one)]));
  }
}
