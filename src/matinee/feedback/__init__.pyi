from .event import KINDS as KINDS, Event as Event, Kind as Kind, make_event as make_event
from .export import events_table as events_table, export_events as export_events
from .store import STORES as STORES, FeedbackStore as FeedbackStore, open_store as open_store
from .writer import BusyError as BusyError, Writer as Writer
