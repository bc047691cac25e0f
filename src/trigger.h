/*
 * trigger.h
 *		The guard that every C row trigger begins with.
 */
#ifndef EPERMIT_TRIGGER_H
#define EPERMIT_TRIGGER_H

#include "compat.h"

#include "commands/trigger.h"

/*
 * The call's trigger data.  39P01 unless function epermit.name is called as a row trigger of this
 * timing (TRIGGER_EVENT_BEFORE, ...) and operation (TRIGGER_EVENT_INSERT, ...).
 */
extern TriggerData *row_trigger(FunctionCallInfo fcinfo, const char *name,
								TriggerEvent timing, TriggerEvent operation);

#endif							/* EPERMIT_TRIGGER_H */
