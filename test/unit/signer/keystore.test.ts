import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createKeystore, loadKeystore, randomKey, readPassword } from '../../../node/signer/index.ts';
import { addressOf } from '../../../protocol/crypto/index.ts';
import { hexOf } from '../../../protocol/types/index.ts';
import { faultOf } from '../../conformance/signer.ts';

describe('keystore', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'picolo-keys-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('writes a v3 file for its owner only and reads the key back', async () => {
    const path = join(dir, 'key.json');
    const key = randomKey();
    const address = await createKeystore({ path, password: 'right', key, scryptN: 1024 });
    expect(address).to.equal(addressOf(key));
    expect(statSync(path).mode & 0o077).to.equal(0);
    const json = JSON.parse(readFileSync(path, 'utf8'));
    expect(json.version).to.equal(3);
    expect(readFileSync(path, 'utf8')).not.to.include(hexOf(key).slice(2));
    expect(json).not.to.have.property('x-ethers');
    expect(await loadKeystore({ path, password: 'right' })).to.deep.equal(key);
  });

  it('names a wrong password, a broken and an absent file, and never overwrites', async () => {
    const path = join(dir, 'key.json');
    await createKeystore({ path, password: 'right', scryptN: 1024 });
    expect(await faultOf(() => loadKeystore({ path, password: 'wrong' }))).to.equal('SIGNER_BAD_KEYSTORE');
    expect(await faultOf(() => createKeystore({ path, password: 'right', scryptN: 1024 }))).to.equal('SIGNER_BAD_KEYSTORE');
    expect(await faultOf(() => loadKeystore({ path: join(dir, 'none'), password: 'right' }))).to.equal('SIGNER_BAD_KEYSTORE');
    writeFileSync(path, '{}');
    expect(await faultOf(() => loadKeystore({ path, password: 'right' }))).to.equal('SIGNER_BAD_KEYSTORE');
  });

  it('takes the password from a file or a variable', async () => {
    const file = join(dir, 'password');
    writeFileSync(file, 'secret words \n');
    expect(await readPassword({ file })).to.equal('secret words ');
    process.env['PICOLO_TEST_PASSWORD'] = 'from env';
    expect(await readPassword({ variable: 'PICOLO_TEST_PASSWORD' })).to.equal('from env');
    delete process.env['PICOLO_TEST_PASSWORD'];
    expect(await faultOf(() => readPassword({ variable: 'PICOLO_TEST_PASSWORD' }))).to.equal('SIGNER_NO_PASSWORD');
    expect(await faultOf(() => readPassword({ file: join(dir, 'none') }))).to.equal('SIGNER_NO_PASSWORD');
  });
});
