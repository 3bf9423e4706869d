import { expect } from 'chai';
import { readBytecode, sourcesHash } from '../../scripts/compiled.ts';

describe('tidy: compiled contracts', () => {
  it('contracts/generated/bytecode.json was made from these sources', () => {
    expect(readBytecode().sources, 'run: hardhat build && node scripts/generate-bytecode.ts').to.equal(sourcesHash());
  });
});
