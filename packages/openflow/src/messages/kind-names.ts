/**
 * What the peer calls kinds of messages, requests and replies of the same kind being two: the name of one of the forms of
 * the kind, by the names of its other forms. A kind whose forms share one name has that.
 */
const KIND_NAMES: Readonly<Record<string, string>> = {
  NXT_ROLE_REQUEST: 'OFPT_ROLE_REQUEST',
  NXT_ROLE_REPLY: 'OFPT_ROLE_REPLY',
  OFPT_ROLE_STATUS: 'ONFT_ROLE_STATUS',
  NXT_FLOW_REMOVED: 'OFPT_FLOW_REMOVED',
  NXT_PACKET_IN: 'OFPT_PACKET_IN',
  NXT_PACKET_IN2: 'OFPT_PACKET_IN',
  OFPT_SET_ASYNC: 'NXT_SET_ASYNC_CONFIG',
  NXT_SET_ASYNC_CONFIG2: 'NXT_SET_ASYNC_CONFIG',
  OFPT_REQUESTFORWARD: 'NXT_REQUESTFORWARD',
  ONFT_REQUESTFORWARD: 'NXT_REQUESTFORWARD',
  ONFT_FLOW_MONITOR_CANCEL: 'NXT_FLOW_MONITOR_CANCEL',
  ONFT_FLOW_MONITOR_PAUSED: 'NXT_FLOW_MONITOR_PAUSED',
  ONFT_FLOW_MONITOR_RESUMED: 'NXT_FLOW_MONITOR_RESUMED',
  'ONFST_FLOW_MONITOR request': 'OFPST_FLOW_MONITOR request',
  'ONFST_FLOW_MONITOR reply': 'OFPST_FLOW_MONITOR reply',
  ONFT_BUNDLE_CONTROL: 'OFPT_BUNDLE_CONTROL',
  ONFT_BUNDLE_ADD_MESSAGE: 'OFPT_BUNDLE_ADD_MESSAGE',
  'OFPST_GROUP request': 'NXST_GROUP request',
  'OFPST_GROUP reply': 'NXST_GROUP reply',
  'OFPST_GROUP_DESC request': 'NXST_GROUP_DESC request',
  'OFPST_GROUP_DESC reply': 'NXST_GROUP_DESC reply',
  'OFPST_GROUP_FEATURES request': 'NXST_GROUP_FEATURES request',
  'OFPST_GROUP_FEATURES reply': 'NXST_GROUP_FEATURES reply',
  'OFPST_QUEUE_DESC request': 'OFPT_QUEUE_GET_CONFIG_REQUEST',
  'OFPST_QUEUE_DESC reply': 'OFPT_QUEUE_GET_CONFIG_REPLY',
};

/** The name of the kind that a form of a message, which has the name `form`, is of. */
export function kindName(form: string): string {
  return KIND_NAMES[form] ?? form;
}
