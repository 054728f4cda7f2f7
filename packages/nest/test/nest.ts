// Everything of Nest, and the adapter that goes with it: `subjects.ts` has this twice, with Nest 12 and with Nest 11.
import 'reflect-metadata';

export * as common from '@nestjs/common';
export * as core from '@nestjs/core';
export { ExpressAdapter } from '@nestjs/platform-express';
export { FastifyAdapter } from '@nestjs/platform-fastify';
export * as testing from '@nestjs/testing';
export * as e2ee from '../src/index.js';
