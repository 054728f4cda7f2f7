import type express5 from 'express';
import express from 'express4';
import { runServerCases } from '../run.js';
import { expressSubject } from './express.js';

// Express 4 is used only in ways that the types of 5 describe as well.
runServerCases(expressSubject('Express 4', express as unknown as typeof express5));
