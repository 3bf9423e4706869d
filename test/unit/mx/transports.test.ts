import { mxConformance } from '../../conformance/mx.ts';
import { memoryWorld, socketWorld } from './world.ts';

/*
 * One suite, two transports. What it covers, for the paper map:
 */
// P-7-transport-free
// P-7-put
// P-7-get
// P-7-pull
// P-7-push
// P-7-send
// P-7-end
// P-7-close
// P-7-ok
// P-7-error
// P-7-hops
// P-5.4.1-local-first
// P-6.5-adaptive-drop
// P-6.5-greedy-ganesh
mxConformance('memory', memoryWorld);
mxConformance('WebSocket on loopback', socketWorld);
