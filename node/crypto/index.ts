/**
 * The fast crypto of a Node process: secp256k1 in C, SHA-256 from OpenSSL, batch SHA-256 for trees
 * and keccak in WebAssembly. It gives the same bytes as the pure backend of `protocol/crypto`, and a
 * missing addon is a warning with a reason, never a silent switch to JavaScript.
 *
 * @example
 *   await installNativeCrypto();    // once, in a composition root, before anything is signed
 */
export { installNativeCrypto } from './install.ts';
export { loadNativeCrypto } from './native.ts';
