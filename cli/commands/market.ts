import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { formatEther } from 'ethers';
import { buyerKeyOf, purchaseIdOf, type Policy } from '../../protocol/market/index.ts';
import type { Hash32 } from '../../protocol/types/index.ts';
import { openRows, sealRows } from '../../sdk/index.ts';
import {
  buyKey, complainAbout, delistKey, deliverKey, listingById, listings, listKey, purchaseById, purchasesOf, ratePurchase, receiveKey, reclaimPurchase,
  requirePolicy, settlePurchase, type MarketListing, type MarketPurchase, type Network, type Receipt,
} from '../../sdk/operator/index.ts';
import { connectFrom, openDatabase, withConnection, type ConnectionOptions } from '../connection.ts';
import { newOneTimeSecret, oneTimeSecret, sellerKeys } from '../market-keys.ts';
import { hex32, onChain, outputOf, tokens, wholeNumber, withExamples, withWallet } from '../options.ts';
import type { Output } from '../output.ts';

const EXAMPLES: Readonly<Record<string, string>> = {
  seal: 'seal --table people --column income --rows people.jsonl --keys seller.json',
  list: 'list --database 0x… --table people --column income --price 0.1 --bond 0.05 --keys seller.json',
  show: 'show --listing 0x…',
  buy: 'buy --listing 0x… --keys buyer.json',
  deliver: 'deliver --listing 0x… --keys seller.json',
  open: 'open --purchase 0x… --database 0x… --table people --column income --keys buyer.json',
  complain: 'complain --purchase 0x… --keys buyer.json',
  settle: 'settle --purchase 0x…',
  reclaim: 'reclaim --purchase 0x…',
  rate: 'rate --purchase 0x… --stars 5',
  delist: 'delist --listing 0x…',
};

export function marketCommand(): Command {
  const market = new Command('market').description('Sell and buy the decryption of encrypted columns.');
  const commands = [
    sealCommand(), listCommand(), showCommand(), buyCommand(), deliverCommand(), openCommand(), complainCommand(),
    ending('settle', 'Pay the provider: the buyer at once, anybody when the time to complain is over.', settlePurchase),
    ending('reclaim', 'Take the price back when no key came in time.', reclaimPurchase),
    rateCommand(), delistCommand(),
  ];
  return withExamples(market, commands, EXAMPLES);
}

const keysOption = (): Option => new Option('--keys <file>', 'file with the secrets; made when it is not there').makeOptionMandatory();
const idOption = (name: 'listing' | 'purchase'): Option => new Option(`--${name} <id>`, `the ${name}`).argParser(hex32(`--${name}`)).makeOptionMandatory();

/** What is sold; the seller's and the buyer's words must be the same. */
function withPolicy(command: Command): Command {
  return command
    .requiredOption('--database <id>', 'the database', hex32('--database'))
    .requiredOption('--table <name>', 'the table')
    .requiredOption('--column <name...>', 'its encrypted columns')
    .option('--note <text>', 'what the seller says about the data', '');
}

function policyOf(options: Record<string, unknown>): Policy {
  return { database: options['database'] as Hash32, table: options['table'] as string, columns: options['column'] as string[], note: options['note'] as string };
}

async function bought(network: Network, id: Hash32): Promise<{ listing: MarketListing; purchase: MarketPurchase }> {
  const purchase = await purchaseById(network, id);
  return { purchase, listing: await listingById(network, purchase.listing) };
}

function sealCommand(): Command {
  return withConnection(new Command('seal'))
    .description('Encrypt columns of rows (JSON lines) and insert them. The columns must be BLOB.')
    .option('--database <id>', 'the database (default: the local network\'s)')
    .requiredOption('--table <name>', 'the table')
    .requiredOption('--column <name...>', 'columns to encrypt')
    .requiredOption('--rows <file>', 'one JSON object per line')
    .addOption(keysOption())
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const db = await openDatabase(await connectFrom(options as ConnectionOptions), options as ConnectionOptions);
      const { dataKey } = sellerKeys(options.keys as string);
      const lines = readFileSync(options.rows as string, 'utf8').split('\n').filter((line) => line.trim() !== '');
      const { table, column } = options as { table: string; column: string[] };
      const rows = await sealRows(db, { table, columns: column, key: dataKey }, lines.map((line) => JSON.parse(line) as Record<string, unknown>));
      const done = await db.table(table).insertMany(rows);
      out.line(`${done.rows} rows, ${column.join(', ')} encrypted`);
      out.result({ database: db.id, ...done });
    });
}

function listCommand(): Command {
  return withPolicy(withWallet(new Command('list')))
    .description('Offer the key of encrypted columns for sale.')
    .requiredOption('--price <ether>', 'price of the key', tokens('--price'))
    .requiredOption('--bond <ether>', 'what a buyer gets on top of its money for a wrong key', tokens('--bond'))
    .option('--purchases <n>', 'bonds for so many purchases at once', wholeNumber('--purchases', 1, 1_000), 4)
    .addOption(keysOption())
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const { dataKey, secret } = sellerKeys(options.keys as string);
      const bondWei = options.bond as bigint;
      const { listing, gasUsed } = await listKey(network, {
        key: dataKey, secret, policy: policyOf(options), priceWei: options.price as bigint, bondWei, poolWei: bondWei * BigInt(options.purchases as number),
      });
      outputOf(command).line(`Listing ${listing}`);
      outputOf(command).result({ listing, gasUsed });
    }));
}

function showCommand(): Command {
  return withWallet(new Command('show'))
    .description('Listings and their purchases.')
    .option('--listing <id>', 'only this one', hex32('--listing'))
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const found = (await listings(network)).filter(({ listing }) => options.listing === undefined || listing === options.listing);
      const all = await Promise.all(found.map(async (one) => ({ ...one, purchases: await purchasesOf(network, one.listing) })));
      show(outputOf(command), all);
    }));
}

function show(out: Output, all: readonly (MarketListing & { readonly purchases: readonly MarketPurchase[] })[]): void {
  for (const { listing, terms, poolWei, open, purchases } of all) {
    out.title(`${listing} (${open ? 'open' : 'ended'})`);
    out.line(`price ${formatEther(terms.priceWei)}, bond ${formatEther(terms.bondWei)}, pool ${formatEther(poolWei)}, provider ${terms.provider}`);
    if (purchases.length > 0) out.table(['purchase', 'buyer', 'state', 'until'], purchases.map((p) => [p.purchase, p.buyer, p.state, p.until]));
  }
  if (all.length === 0) out.line('No listings.');
  out.result(all);
}

function buyCommand(): Command {
  return withWallet(new Command('buy'))
    .description('Pay for a key into escrow. The one-time secret is saved before any money moves.')
    .addOption(idOption('listing'))
    .addOption(keysOption())
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const listing = await listingById(network, options.listing as Hash32);
      const secret = newOneTimeSecret(options.keys as string, (one) => purchaseIdOf(listing.listing, buyerKeyOf(one)));
      const { purchase, gasUsed } = await buyKey(network, listing, secret);
      outputOf(command).line(`Purchase ${purchase}: the key is due within 24 hours`);
      outputOf(command).result({ purchase, gasUsed });
    }));
}

function deliverCommand(): Command {
  return withWallet(new Command('deliver'))
    .description('Hand the key over to everybody who has paid.')
    .addOption(idOption('listing'))
    .addOption(keysOption())
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const listing = await listingById(network, options.listing as Hash32);
      const { dataKey, secret } = sellerKeys(options.keys as string);
      const waiting = (await purchasesOf(network, listing.listing)).filter(({ state }) => state === 'paid');
      const delivered = [];
      for (const purchase of waiting) {
        const { gasUsed } = await deliverKey(network, listing, purchase, dataKey, secret);
        delivered.push({ purchase: purchase.purchase, gasUsed });
      }
      outputOf(command).line(`${delivered.length} keys delivered`);
      outputOf(command).result(delivered);
    }));
}

function openCommand(): Command {
  return withPolicy(withConnection(new Command('open')))
    .description('Decrypt rows with a bought key. Every row is proven first.')
    .addOption(idOption('purchase'))
    .addOption(keysOption())
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const { listing, purchase } = await bought(network, options.purchase as Hash32);
      const policy = policyOf(options);
      requirePolicy(listing, policy);
      const key = receiveKey(listing, purchase, oneTimeSecret(options.keys as string, purchase.purchase));
      const db = await openDatabase(await connectFrom(options as ConnectionOptions), options as ConnectionOptions);
      const rows = await openRows(db, { table: policy.table, columns: policy.columns, key });
      const columns = Object.keys(rows[0] ?? {});
      outputOf(command).table(columns, rows.map((row) => columns.map((column) => row[column])));
      outputOf(command).result(rows);
    }));
}

function complainCommand(): Command {
  return withWallet(new Command('complain'))
    .description('Show the contract that the delivered key is wrong: price and bond come back at once.')
    .addOption(idOption('purchase'))
    .addOption(keysOption())
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const { listing, purchase } = await bought(network, options.purchase as Hash32);
      const receipt = await complainAbout(network, listing, purchase, oneTimeSecret(options.keys as string, purchase.purchase));
      const backWei = listing.terms.priceWei + listing.terms.bondWei;
      outputOf(command).line(`The provider is convicted: ${formatEther(backWei)} came back (${receipt.gasUsed} gas)`);
      outputOf(command).result({ purchase: purchase.purchase, backWei, gasUsed: receipt.gasUsed });
    }));
}

/** Commands that end a purchase with one call. */
function ending(name: string, description: string, call: (network: Network, listing: MarketListing, purchase: MarketPurchase) => Promise<Receipt>): Command {
  return withWallet(new Command(name))
    .description(description)
    .addOption(idOption('purchase'))
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const { listing, purchase } = await bought(network, options.purchase as Hash32);
      const { gasUsed } = await call(network, listing, purchase);
      outputOf(command).line(`${name}: done (${gasUsed} gas)`);
      outputOf(command).result({ purchase: purchase.purchase, gasUsed });
    }));
}

function rateCommand(): Command {
  return withWallet(new Command('rate'))
    .description('Say how good the data were, once for a settled purchase.')
    .addOption(idOption('purchase'))
    .requiredOption('--stars <n>', '1 to 5', wholeNumber('--stars', 1, 5))
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const { listing, purchase } = await bought(network, options.purchase as Hash32);
      const { gasUsed } = await ratePurchase(network, listing, purchase, options.stars as number);
      outputOf(command).line(`Rated ${options.stars as number} of 5`);
      outputOf(command).result({ purchase: purchase.purchase, gasUsed });
    }));
}

function delistCommand(): Command {
  return withWallet(new Command('delist'))
    .description('End a listing; the bonds that stand behind no purchase come back.')
    .addOption(idOption('listing'))
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const { gasUsed } = await delistKey(network, await listingById(network, options.listing as Hash32));
      outputOf(command).line('Ended');
      outputOf(command).result({ listing: options.listing, gasUsed });
    }));
}
