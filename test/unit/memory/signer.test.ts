import { createMemorySigner } from '../../../node/memory/index.ts';
import { signerConformance } from '../../conformance/signer.ts';

signerConformance('memory', async (key, domain) => createMemorySigner(key, domain));
