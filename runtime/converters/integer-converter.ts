import { numberConverter } from './number-converter.ts';

/** org.apache.kafka.connect.converters.IntegerConverter. */
export default numberConverter('integer');
