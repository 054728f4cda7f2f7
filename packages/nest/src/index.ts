export { EncryptedBy, Protect, SkipE2ee } from './decorators.js';
export {
  type E2eeHealthDetails,
  E2eeHealthIndicator,
  type E2eeHealthResult,
  type E2eeHealthSources,
} from './health.js';
export { E2eeModule } from './module.js';
export type { E2eeNestOptions, E2eeOptionsFactory, PlatformRequest } from './options.js';
