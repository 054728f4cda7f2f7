import express from 'express';
import { runServerCases } from '../run.js';
import { expressSubject } from './express.js';

runServerCases(expressSubject('Express 5', express));
