import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { addressOf, sha256Hex } from '../../protocol/crypto/index.ts';
import { addressFrom, bytesOf, isHex, type Hash32, type Hex } from '../../protocol/types/index.ts';
import {
  anchorCertificate, promote, releaseFees, revokeCertificate, signCertificate, standingOf, type NodeCertificate,
} from '../../sdk/operator/index.ts';
import { cliFaults } from '../faults.ts';
import { networkOf, openProvider, outputOf, walletKey, wholeNumber, withWallet, type WalletOptions } from '../options.ts';

const DAY_S = 86_400;
const textHash = (text: string): Hash32 => sha256Hex(new TextEncoder().encode(text));

/** `provider certificate`: what roots say of nodes, and the ladder that begins with it. */
export function certificateCommand(): Command {
  return new Command('certificate').description('Certificates of roots, and the trust ladder.')
    .addCommand(issueCommand()).addCommand(anchorCommand()).addCommand(revokeCommand()).addCommand(promoteCommand());
}

function issueCommand(): Command {
  return withWallet(new Command('issue'))
    .description('As a root: sign a certificate for a node and write it to a file.')
    .requiredOption('--node <address>', 'the node')
    .requiredOption('--number <n>', "the issuer's own running number", wholeNumber('--number', 1, Number.MAX_SAFE_INTEGER))
    .requiredOption('--out <file>', 'where to write the certificate')
    .option('--days <n>', 'validity', wholeNumber('--days', 1, 3_650), 365)
    .option('--transport <text>', "the node's transport key as it announces it", '')
    .option('--software <text>', 'name of the release it was checked with', '')
    .addHelpText('after', '\nExample:\n  PICOLO_KEY=0x… picolo provider certificate issue --node 0x… --number 1 --out node.json\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const network = await networkOf(options as WalletOptions);
      const { timestamp } = (await network.provider.getBlock('latest'))!;
      const issuedAt = BigInt(timestamp);
      const certificate: NodeCertificate = {
        node: addressFrom(options.node), number: BigInt(options.number as number), transportKeyHash: textHash(options.transport as string),
        softwareHash: textHash(options.software as string), issuedAt, expiresAt: issuedAt + BigInt((options.days as number) * DAY_S),
      };
      const signature = signCertificate(network, bytesOf(await walletKey(options as WalletOptions)), certificate);
      const file = { ...certificate, number: String(certificate.number), issuedAt: String(issuedAt), expiresAt: String(certificate.expiresAt), signature };
      writeFileSync(options.out as string, `${JSON.stringify(file, null, 2)}\n`);
      out.line(`Certificate ${options.number as number} for ${certificate.node} in ${options.out as string}`);
      out.result(file);
      network.close();
    });
}

function anchorCommand(): Command {
  return providerStep('anchor', 'Put a certificate on chain.')
    .requiredOption('--file <file>', 'the certificate')
    .addHelpText('after', '\nExample:\n  picolo provider certificate anchor --dir ./provider --file node.json\n')
    .action(async (options, command: Command) => {
      const { certificate, signature } = readCertificate(options.file as string);
      const { network } = await openProvider(resolve(options.dir as string), options.passwordFile as string | undefined);
      await anchorCertificate(network, certificate, signature);
      const standing = await standingOf(network, certificate.node);
      outputOf(command).line(`Anchored. Trust: ${standing.step}`);
      outputOf(command).result(standing);
      network.close();
    });
}

function revokeCommand(): Command {
  return withWallet(new Command('revoke'))
    .description('As a root: withdraw a certificate for ever.')
    .requiredOption('--number <n>', 'its number', wholeNumber('--number', 1, Number.MAX_SAFE_INTEGER))
    .addHelpText('after', '\nExample:\n  PICOLO_KEY=0x… picolo provider certificate revoke --number 1\n')
    .action(async (options, command: Command) => {
      const network = await networkOf(options as WalletOptions);
      const { gasUsed } = await revokeCertificate(network, BigInt(options.number as number));
      outputOf(command).line('Revoked.');
      outputOf(command).result({ number: options.number, gasUsed });
      network.close();
    });
}

function promoteCommand(): Command {
  return providerStep('promote', 'Rise to the third step of the ladder, and free stake that old fees no longer lock.')
    .addHelpText('after', '\nExample:\n  picolo provider certificate promote --dir ./provider\n')
    .action(async (options, command: Command) => {
      const { network, nodeKey } = await openProvider(resolve(options.dir as string), options.passwordFile as string | undefined);
      const node = addressOf(nodeKey);
      await releaseFees(network, node);
      await promote(network, node);
      const standing = await standingOf(network, node);
      outputOf(command).line(`Trust: ${standing.step}`);
      outputOf(command).result(standing);
      network.close();
    });
}

function providerStep(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .requiredOption('--dir <dir>', "the provider's folder")
    .option('--password-file <file>', 'file with the password of the key files');
}

function readCertificate(file: string): { certificate: NodeCertificate; signature: Hex } {
  const raw = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  const signature = raw['signature'];
  if (!isHex(signature, 65)) throw cliFaults.badOption({ option: '--file', value: file, expected: 'a certificate that "certificate issue" wrote' });
  const certificate: NodeCertificate = {
    node: addressFrom(raw['node']), number: BigInt(raw['number'] as string), transportKeyHash: raw['transportKeyHash'] as Hash32,
    softwareHash: raw['softwareHash'] as Hash32, issuedAt: BigInt(raw['issuedAt'] as string), expiresAt: BigInt(raw['expiresAt'] as string),
  };
  return { certificate, signature };
}
