// Mocha reporter: failures in full, one line per file of passes, totals to the file that the test
// script names. CommonJS because mocha loads reporters with require in its parallel workers.
const { writeFileSync } = require('node:fs');
const { relative } = require('node:path');
const { reporters } = require('mocha');

module.exports = class Totals extends reporters.Base {
  constructor(runner, options) {
    super(runner, options);
    const totals = { passed: 0, failed: 0, skipped: 0 };
    const perFile = new Map();
    const failedFiles = new Set();
    const fileOf = (test) => relative(process.cwd(), test.file ?? test.parent?.file ?? 'unknown');
    const count = (test) => perFile.set(fileOf(test), (perFile.get(fileOf(test)) ?? 0) + 1);
    runner.on('pass', (test) => {
      totals.passed += 1;
      count(test);
    });
    runner.on('pending', (test) => {
      totals.skipped += 1;
      console.log(`  skipped: ${test.fullTitle()}`);
    });
    runner.on('fail', (test, error) => {
      totals.failed += 1;
      failedFiles.add(fileOf(test));
      console.log(`  FAILED: ${test.fullTitle()}\n${error.stack ?? error}`);
    });
    runner.once('end', () => {
      for (const [file, passed] of [...perFile].sort()) console.log(`  ${String(passed).padStart(4)} ok  ${file}`);
      const all = { ...totals, perFile: Object.fromEntries(perFile), failedFiles: [...failedFiles] };
      if (process.env.PICOLO_TOTALS) writeFileSync(process.env.PICOLO_TOTALS, JSON.stringify(all));
    });
  }
};
