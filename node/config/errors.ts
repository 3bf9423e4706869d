import { defineFaults } from '../../protocol/errors/index.ts';

export const configFaults = defineFaults('CONFIG', {
  missing: ['there is no configuration file', 'make one with: picolo provider init --dir DIR'],
  notToml: ['the configuration file is not valid TOML', 'correct the line named in the facts'],
  missingKey: ['a required setting is absent', 'add it to picolo.toml'],
  badValue: ['a setting has a value of the wrong form', 'correct it in picolo.toml'],
  unknownKey: ['there is no such setting', 'remove it, or correct its spelling'],
});
