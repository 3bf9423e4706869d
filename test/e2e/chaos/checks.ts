/** What must hold of data folders and lists, whatever happened: nothing here asks a node, and nothing shares code with what is judged but the codecs. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { openJournal } from '../../../node/storage/index.ts';
import { blockHashOf, commandReader, decodeCertifiedBlock, recordReader, type JournalRecord } from '../../../protocol/consensus/index.ts';
import type { Domain } from '../../../protocol/codec/index.ts';
import type { Append } from './load.ts';

/** Statements that one key made, over all looks at its disk: each position has one content. */
export class Statements {
  readonly contradictions: string[] = [];
  private readonly said = new Map<string, string>();

  note(signer: string, position: string, content: string): void {
    const key = `${signer} ${position}`;
    const before = this.said.get(key);
    if (before !== undefined && before !== content) this.contradictions.push(`${key}: ${before} and ${content}`);
    this.said.set(key, content);
  }

  get count(): number {
    return this.said.size;
  }
}

const groupsOf = (dataDir: string): string[] => {
  const folder = join(dataDir, 'groups');
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
};

/** Votes in the journals of a stopped node. Journals shrink at every checkpoint, so they are read whenever one stops. */
export async function readJournals(statements: Statements, node: string, dataDir: string, domain: Domain): Promise<void> {
  const read = recordReader(commandReader(domain));
  for (const group of groupsOf(dataDir)) {
    for (const file of readdirSync(group).filter((name) => name.endsWith('.journal'))) {
      const journal = openJournal({ path: join(group, file) });
      for (const data of journal.recover().records) noteRecord(statements, node, `${group.slice(-16)}/${file}`, read(data));
      await journal.close();
    }
  }
}

function noteRecord(statements: Statements, node: string, where: string, record: JournalRecord): void {
  if (record.kind === 'voted') {
    const { header } = record.block;
    statements.note(node, `${where} block ${header.view}/${header.round}`, blockHashOf(header));
  }
  if (record.kind === 'acked') statements.note(node, `${where} ack ${record.ackSeq}`, record.ackHead);
}

/** Votes in the certificates of the blocks that ledgers keep, and one block per height over all nodes. */
export function readLedgers(statements: Statements, dataDirs: readonly string[], domain: Domain): { readonly blocks: number } {
  const read = commandReader(domain);
  let blocks = 0;
  for (const dataDir of dataDirs) {
    for (const group of groupsOf(dataDir)) {
      const file = new Sqlite(join(group, 'ledger.sqlite'), { readonly: true });
      for (const { encoded } of file.prepare('SELECT encoded FROM blocks').iterate() as Iterable<{ encoded: Buffer }>) {
        const { block: { header }, qc } = decodeCertifiedBlock(new Uint8Array(encoded), read);
        statements.note('the chain', `height ${header.epoch}/${header.height}`, qc.blockHash);
        for (const { signer } of qc.votes) statements.note(`replica ${signer}`, `vote ${header.epoch}/${qc.view}/${qc.round}`, qc.blockHash);
        blocks += 1;
      }
      file.close();
    }
  }
  return { blocks };
}

/** What is wrong with the final lists: lost or doubled items, and items in an order that their writers know to be impossible. */
export function listFaults(appends: readonly Append[], lists: ReadonlyMap<number, readonly string[]>): string[] {
  const faults: string[] = [];
  for (const [list, items] of lists) {
    const place = new Map(items.map((item, i) => [item, i]));
    if (place.size !== items.length) faults.push(`list ${list}: an item twice`);
    const mine = appends.filter((append) => append.list === list);
    const known = new Set(mine.map(({ item }) => item));
    for (const item of items) if (!known.has(item)) faults.push(`list ${list}: ${item} was never written`);
    const done = mine.filter((append): append is Append & { endedMs: number } => append.endedMs !== undefined);
    for (const { item } of done) if (!place.has(item)) faults.push(`list ${list}: ${item} was acknowledged and is not there`);
    faults.push(...orderFaults(list, mine, place));
  }
  return faults;
}

/** Real time: what was acknowledged before another append began stands before it. */
function orderFaults(list: number, appends: readonly Append[], place: ReadonlyMap<string, number>): string[] {
  const there = appends.flatMap((append) => {
    const at = place.get(append.item);
    return at === undefined ? [] : [{ ...append, at }];
  }).sort((a, b) => a.at - b.at);
  const faults: string[] = [];
  let latestStart: (typeof there)[number] | undefined;
  for (const append of there) {
    if (latestStart !== undefined && append.endedMs !== undefined && append.endedMs < latestStart.startedMs) {
      faults.push(`list ${list}: ${latestStart.item} stands before ${append.item}, which was acknowledged before it began`);
    }
    if (latestStart === undefined || append.startedMs > latestStart.startedMs) latestStart = append;
  }
  return faults;
}
