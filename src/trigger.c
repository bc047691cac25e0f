/*
 * trigger.c
 *		The guard that every C row trigger begins with.
 */
#include "compat.h"

#include "trigger.h"

TriggerData *
row_trigger(FunctionCallInfo fcinfo, const char *name, TriggerEvent timing, TriggerEvent operation)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		(trigger->tg_event & TRIGGER_EVENT_TIMINGMASK) != timing ||
		(trigger->tg_event & TRIGGER_EVENT_OPMASK) != operation)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was fired by a trigger it is not made for", name)));
	return trigger;
}
