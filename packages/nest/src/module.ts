import { E2eeError, type E2eeServer } from '@e2ee/core';
import { resolveServer, type ServerAndRecipient } from '@e2ee/core/adapter';
import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleCls,
  Global,
  type HttpServer,
  Inject,
  Module,
  type NestModule,
  type OnModuleInit,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, DiscoveryModule, HttpAdapterHost } from '@nestjs/core';
import { E2eeExchanges } from './exchanges.js';
import { E2eeGuard } from './guard.js';
import { E2eeHandlers } from './handlers.js';
import { E2eeHealthIndicator } from './health.js';
import { E2eeInterceptor } from './interceptor.js';
import type { E2eeNestOptions, PlatformRequest } from './options.js';
import { platformOf } from './platform.js';
import { OPTIONS, SERVER } from './tokens.js';

const definition = new ConfigurableModuleBuilder<E2eeNestOptions | E2eeServer>({
  optionsInjectionToken: OPTIONS,
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createE2eeOptions')
  .build();

const Configurable: ConfigurableModuleCls<E2eeNestOptions | E2eeServer, 'forRoot', 'createE2eeOptions'> =
  definition.ConfigurableModuleClass;

/** The applications that have the module. */
const taken = new WeakMap<HttpServer, E2eeModule>();

/**
 * Decrypts requests, protects responses, publishes the keys and answers errors in the profile's form, for every handler
 * of the application. Import it once, at the root.
 *
 * `forRoot` takes options, or a server end made beforehand; `forRootAsync` takes `useFactory`, `useClass` or
 * `useExisting` of {@link E2eeOptionsFactory}. The application does not start with `option_invalid` or `policy_invalid`.
 *
 * @example
 * \@Module({ imports: [E2eeModule.forRoot({ profile: banked, keyRing })] })
 * class AppModule {}
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    {
      provide: SERVER,
      inject: [OPTIONS],
      useFactory: (options: E2eeNestOptions | E2eeServer): ServerAndRecipient<PlatformRequest> =>
        resolveServer<PlatformRequest>(options),
    },
    E2eeExchanges,
    E2eeHandlers,
    E2eeHealthIndicator,
    { provide: APP_GUARD, useClass: E2eeGuard },
    { provide: APP_INTERCEPTOR, useClass: E2eeInterceptor },
  ],
  exports: [E2eeHealthIndicator],
})
export class E2eeModule extends Configurable implements NestModule, OnModuleInit {
  readonly #host: HttpAdapterHost;
  readonly #exchanges: E2eeExchanges;
  readonly #handlers: E2eeHandlers;
  readonly #server: E2eeServer;

  constructor(
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
    @Inject(E2eeExchanges) exchanges: E2eeExchanges,
    @Inject(E2eeHandlers) handlers: E2eeHandlers,
    @Inject(SERVER) { server }: ServerAndRecipient<PlatformRequest>,
  ) {
    super();
    this.#host = host;
    this.#exchanges = exchanges;
    this.#handlers = handlers;
    this.#server = server;
    // Body parsers and CORS come after it.
    this.#install();
    // In tests of users there is no application yet. The first versions of Nest 11 cannot tell when there is.
    host.init$?.subscribe(() => this.#install());
  }

  #install(): void {
    const { httpAdapter } = this.#host;
    if (!httpAdapter || taken.has(httpAdapter)) return;
    taken.set(httpAdapter, this);
    platformOf(httpAdapter)?.first(httpAdapter, this.#exchanges);
  }

  /** Nest calls this in HTTP applications only, after body parsers and before the routes. */
  configure(): void {
    this.#install();
    const { httpAdapter } = this.#host;
    const platform = platformOf(httpAdapter);
    if (!platform)
      throw new E2eeError('option_invalid', 'E2eeModule works on the platforms Express and Fastify');
    if (taken.get(httpAdapter) !== this) {
      throw new E2eeError('option_invalid', 'E2eeModule must be imported once, at the root');
    }
    platform.second(httpAdapter, this.#exchanges, this.#server.message);
  }

  onModuleInit(): void {
    this.#handlers.compile();
  }
}
