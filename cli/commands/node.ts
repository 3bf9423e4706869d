import { resolve } from 'node:path';
import { Command } from 'commander';
import { loadConfig } from '../../node/config/index.ts';
import { startNode } from '../../node/main.ts';
import { outputOf, providerPassword } from '../options.ts';

export function nodeCommand(): Command {
  return new Command('node').description('Run a provider\'s node.').addCommand(
    new Command('start')
      .description('Serve until Ctrl-C. A node that was killed starts again with the same command.')
      .requiredOption('--dir <dir>', "the provider's folder")
      .option('--password-file <file>', 'file with the password of the key files')
      .addHelpText('after', '\nExample:\n  PICOLO_PASSWORD=… picolo node start --dir ./provider\n')
      .action(async (options, command: Command) => {
        const out = outputOf(command);
        const dir = resolve(options.dir as string);
        loadConfig(dir); // a missing folder is said before a password is asked for
        const node = await startNode({ dir, password: await providerPassword(dir, options.passwordFile as string | undefined) });
        out.line(`Node ${node.address} serves ${node.apiUrl}`);
        out.result({ node: node.address, api: node.apiUrl });
        await node.ended;
      }),
  );
}
