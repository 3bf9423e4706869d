#!/usr/bin/env node
// `picolo …` from any Node: hands over to the project's own Node 24.
process.argv.splice(2, 0, '--run', 'cli/main.ts');
await import('../scripts/setup.js');
