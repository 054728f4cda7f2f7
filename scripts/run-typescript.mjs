// `node --import <this>`: runs TypeScript as `--import tsx` does, with decorators as NestJS has them, from any directory.
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

register({ tsconfig: fileURLToPath(new URL('run-typescript.json', import.meta.url)) });
