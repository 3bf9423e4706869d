import { expect } from 'chai';
import { decodeCall, judgeFlat, offenceNumber, slasherOf } from '../../../protocol/evidence/index.ts';
import { context, evidenceVectors, readVectors } from '../../vectors/evidence.ts';

describe('evidence: test/vectors/evidence.json', () => {
  it('is what test/vectors/evidence.ts writes', () => {
    expect(readVectors()).to.deep.equal(JSON.parse(JSON.stringify(evidenceVectors())));
  });

  it('has every offence, accepted and refused reports, and the judge says what it says', () => {
    const { vectors } = readVectors();
    for (const { call, offence, verdict } of vectors) {
      const said = judgeFlat(decodeCall(call), context);
      expect(said.kind === 'guilty' ? { guilty: [...said.nodes], reward: said.reward } : { refused: said.error }, offence).to.deep.equal(verdict);
    }
    const guilty = new Set(vectors.flatMap(({ offence, verdict }) => ('guilty' in verdict ? [offence] : [])));
    expect([...guilty].sort()).to.deep.equal(Object.keys(slasherOf).sort());
    expect(vectors.filter(({ verdict }) => 'refused' in verdict)).to.have.length.greaterThan(8);
    for (const { offence, number, slasher } of vectors) {
      expect([number, slasher]).to.deep.equal([offenceNumber[offence as keyof typeof slasherOf], slasherOf[offence as keyof typeof slasherOf]]);
    }
  });
});
