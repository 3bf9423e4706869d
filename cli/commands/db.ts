import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { connectFrom, withConnection, type ConnectionOptions } from '../connection.ts';
import { outputOf } from '../options.ts';

export function databaseCommand(): Command {
  return new Command('db').description('Make databases.').addCommand(createCommand());
}

function createCommand(): Command {
  return withConnection(new Command('create'))
    .description('Create a database in a group; its id is the hash of its metadata.')
    .requiredOption('--group <id>', 'the group to live in')
    .option('--name <text>', 'what it is called', 'app')
    .option('--writers <who>', '"owner", "any", or addresses separated by commas', 'owner')
    .option('--schema <file>', 'SQL file with the first tables')
    .addHelpText('after', '\nExample:\n  picolo db create --group 0x… --name shop --schema shop.sql\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const picolo = await connectFrom(options as ConnectionOptions);
      const writers = options.writers as string;
      const db = await picolo.createDatabase({
        group: options.group as string, name: options.name as string,
        writers: writers === 'owner' || writers === 'any' ? writers : writers.split(','),
        ...(options.schema === undefined ? {} : { schema: readFileSync(options.schema as string, 'utf8') }),
      });
      out.line(`Database ${db.id}`);
      out.result({ database: db.id });
    });
}
