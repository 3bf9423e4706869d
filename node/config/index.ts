/**
 * A node's configuration: one TOML file in the provider's folder, parsed once into a frozen value.
 * Every mistake names the key and what it should be (CONFIG_*).
 *
 * @example
 *   const config = loadConfig('/var/lib/picolo');
 *   config.listen.api.port;
 */
export { configFaults } from './errors.ts';
export { loadConfig, parseConfig, renderConfig, type Endpoint, type GroupTiming, type NodeConfig } from './config.ts';
