"""The fault matrix of reliability.md, rows of live venues: which tests prove each.

A row is its number, what goes wrong, and the tests that fail if it is not met as it should be.
What they leave open stands in `OPEN`, with the reason; a row without any test is only there.
"""

from typing import Final, NamedTuple


class Row(NamedTuple):
    """One fault."""

    number: int
    fault: str
    tests: tuple[str, ...] = ()
    """`file::test` or `file::Class::test`, below tests/."""


BATCHES: Final = "brokers/conformance/batches.py::Batches::"
MARGINS: Final = "brokers/conformance/margins.py::Margins::"
SUITE: Final = "brokers/conformance/suite.py::Conformance::"
KERNEL: Final = "engine/kernel/"
LINK: Final = "brokers/link/"
TOXIC: Final = "brokers/toxic/"
SENT_ONCE: Final = f"{TOXIC}test_requests.py::test_an_order_and_its_cancel_are_sent_once"
KNOWN_ONCE: Final = f"{TOXIC}test_account_line.py::test_what_fills_meanwhile_is_known_once"
TRUE_BOOKS: Final = f"{TOXIC}test_market.py::test_no_book_is_one_that_never_was"
QUALITY: Final = "engine/market/test_quality.py::test_row"
BOOKS: Final = "engine/market/test_book_sync.py::"

FEED: Final = (
    Row(1, "connection refused at start", (
        f"{LINK}test_stream.py::test_a_venue_that_is_not_there_is_tried_again",
        f"{LINK}test_backoff.py::test_each_wait_is_drawn_under_a_ceiling_that_doubles_to_the_cap",
        f"{TOXIC}test_market.py::test_a_listing_comes_whole_or_not_at_all",
        "end_to_end/test_live_market.py::test_a_venue_that_is_not_there_is_simulated_loudly",
    )),
    Row(2, "reset in the middle of a frame", (
        TRUE_BOOKS, KNOWN_ONCE, f"{SUITE}test_a_line_that_breaks_comes_back",
    )),
    Row(3, "half-open: no bytes, no end", (
        TRUE_BOOKS, KNOWN_ONCE,
        f"{KERNEL}test_lifecycle.py::test_silence_degrades_cancels_and_recovers",
        "brokers/bitunix/test_conformance.py::test_a_line_that_says_nothing_any_more_is_given_up",
    )),
    Row(4, "latency of 2 s +- 1 s", (
        QUALITY, TRUE_BOOKS,
        f"{KERNEL}test_lifecycle.py::test_silence_degrades_cancels_and_recovers",
    )),
    Row(5, "bandwidth below what is sent", (
        TRUE_BOOKS, f"{LINK}test_inbox.py::test_of_many_quotes_the_newest_of_each_is_kept_and_every_trade",
    )),
    Row(6, "sliced bytes", (TRUE_BOOKS, KNOWN_ONCE, SENT_ONCE)),
    Row(7, "closed after N bytes, for every N", (
        f"{TOXIC}test_every_cut.py::test_every_cut_is_a_clean_new_try",
        f"{TOXIC}test_market.py::test_a_book_whose_snapshot_does_not_come_stays_empty",
    )),
    Row(8, "flapping", (
        f"{LINK}test_stream.py::test_flapping_is_said_and_stops",
        f"{LINK}test_backoff.py::test_no_hour_has_more_attempts_than_allowed",
    )),
    Row(9, "duplicate frames", (QUALITY, f"{BOOKS}test_row", "brokers/mock/test_faults.py::test_duplicate")),
    Row(10, "frames out of order", (QUALITY, f"{BOOKS}test_row", "brokers/mock/test_faults.py::test_out_of_order")),
    Row(11, "gap in the deltas at each position", (
        f"{BOOKS}test_gap_anywhere_invalidates_until_the_next_snapshot",
        "engine/market/test_capture.py::test_losing_any_diff_is_noticed",
        "brokers/binance/test_feed.py::test_a_hole_in_the_chain_is_mended_by_a_snapshot",
    )),
    Row(12, "crossed, locked, empty, one-level book", (
        QUALITY, "engine/market/test_quality.py::test_locked_is_a_market_where_the_settings_say_so",
    )),
    Row(13, "NaN, infinite, negative, empty, null as a price", (
        "brokers/binance/test_parse.py::test_hostile_price",
        "brokers/bitunix/test_parse.py::test_what_is_wrong_is_named",
        "brokers/hyperliquid/test_parse.py::test_hostile_price",
    )),
    Row(14, "price off by 10x, 100x, a decimal", (
        QUALITY, "engine/market/test_quality.py::test_band_equals_the_exact_rule",
        "brokers/mock/test_faults.py::test_spike_is_one_quote_at_ten_times_the_price",
    )),
    Row(15, "exchange time in the future, frozen, going back", (
        QUALITY, "brokers/mock/test_faults.py::test_stale",
        f"{KERNEL}test_lifecycle.py::test_time_never_runs_backwards",
    )),
    Row(16, "heartbeat only", (
        "brokers/bitunix/test_talk.py::test_every_stage_has_its_time",
        "engine/session/test_runner.py::test_silence_of_twenty_seconds",
        f"{KERNEL}test_lifecycle.py::test_one_silent_symbol_of_two_is_suspended_alone",
    )),
    Row(17, "ten times the traffic", (
        f"{LINK}test_inbox.py::test_of_many_quotes_the_newest_of_each_is_kept_and_every_trade",
        f"{LINK}test_inbox.py::test_no_room_empties_it_and_says_so",
    )),
    Row(18, "huge, deep, invalid frames", (
        "hostile/test_decoders.py::test_no_frame_gets_through",
        f"{LINK}test_stream.py::test_every_break_is_told_and_mended",
        "brokers/binance/test_hostile.py::test_any_bytes",
    )),
    Row(19, "compression bomb", (
        f"{LINK}test_bombs.py::test_an_answer_stays_packed",
        f"{LINK}test_bombs.py::test_a_packed_frame_ends_the_line",
        f"{LINK}test_rest.py::test_what_may_have_arrived_is_unknown",
    )),
    Row(20, "wrong symbol or interval, candle revised", (
        "brokers/bitunix/test_parse.py::test_other_symbols_and_other_channels",
        "brokers/hyperliquid/test_parse.py::test_quiet_frame",
        "brokers/mock/test_faults.py::test_unknown_symbol",
        "engine/market/test_bars.py::test_every_interval_exactly_once",
    )),
    Row(21, "two feeds disagree", (
        f"{KERNEL}test_reference.py::test_a_jump_of_the_reference_stops_new_risk_and_agreement_lets_it_go_on",
        f"{KERNEL}test_reference.py::test_a_jump_of_ours_is_noticed_with_the_next_timer",
        f"{KERNEL}test_reference.py::test_silence_of_the_reference_is_a_doubt_and_its_next_quote_the_end_of_it",
        "engine/risk/test_basis.py::test_row_by_row",
        "engine/risk/test_basis.py::test_a_jump_trips_for_as_long_as_it_lasts",
        "end_to_end/test_reference.py::test_a_live_session_stands_aside_while_two_venues_disagree",
        "end_to_end/test_reference.py::test_a_paper_session_only_makes_its_position_smaller",
        "end_to_end/test_reference.py::test_a_reference_that_goes_away_and_comes_back",
    )),
    Row(22, "an old snapshot after a reconnect", (f"{BOOKS}test_row", f"{BOOKS}test_snapshot_may_come_at_any_time")),
)  # fmt: skip

ORDERS: Final = (
    Row(23, "timeout after accept", (
        f"{SUITE}test_an_order_whose_answer_is_lost", SENT_ONCE,
        f"{KERNEL}test_inquiries.py::test_a_timeout_is_asked_after_at_most_every_two_seconds",
        f"{KERNEL}test_orders.py::test_an_unknown_order_counts_in_limits",
    )),
    Row(24, "timeout, never accepted", (
        f"{SUITE}test_an_order_that_never_arrived", SENT_ONCE,
        f"{KERNEL}test_inquiries.py::test_not_found_ends_an_order_after_three_answers_and_the_venues_lag",
    )),
    Row(25, "accepted, reply lost, not found twice, then fills", (
        f"{KERNEL}test_inquiries.py::test_a_fill_after_not_found_still_counts",
        "brokers/binance/test_conformance.py::test_the_index_lags_behind_a_lost_answer",
        "brokers/bitunix/test_conformance.py::test_the_index_lags_behind_a_lost_answer",
    )),
    Row(26, "the stream acknowledges before the answer comes", (
        f"{LINK}test_broker.py::test_the_stream_may_be_faster_than_the_answer", SENT_ONCE,
    )),
    Row(27, "duplicate-id reject of an order that is live", (
        f"{KERNEL}test_inquiries.py::test_a_duplicate_id_is_proof_of_life",
        f"{SUITE}test_the_same_order_twice_is_one",
        "brokers/binance/test_account.py::test_an_id_that_is_taken_is_asked_about",
    )),
    Row(28, "a batch that fails in part, or as a whole", (
        f"{BATCHES}test_one_that_is_refused_leaves_the_others",
        f"{BATCHES}test_placements_whose_answer_is_lost",
        f"{BATCHES}test_placements_that_never_arrived",
        f"{LINK}test_together.py::test_a_batch_without_an_answer_leaves_each_of_its_orders_unknown",
    )),
    Row(29, "200 with HTML, half of the JSON, nothing", (
        f"{SUITE}test_an_order_whose_answer_is_lost", f"{SUITE}test_half_a_picture_is_none",
    )),
    Row(30, "429 with and without Retry-After, 418", (
        f"{SUITE}test_a_venue_that_wants_peace_gets_it",
        f"{LINK}test_budget.py::test_after_429_cancels_go_and_in_a_ban_nothing_does",
        "brokers/binance/test_account.py::test_the_venues_word_counts_on_how_long_to_wait",
        "brokers/binance/test_account.py::test_during_a_ban_nothing_leaves",
    )),
    Row(31, "5xx, maintenance, system busy", (
        "brokers/binance/test_conformance.py::test_maintenance_refuses_and_a_ban_silences",
        "brokers/bitunix/test_conformance.py::test_maintenance_refuses_and_a_ban_silences",
        f"{KERNEL}test_truth.py::test_a_picture_that_fails_is_not_an_empty_account",
    )),
    Row(32, "1,000 partial fills of one lot", (
        f"{KERNEL}test_orders.py::test_a_thousand_fills_of_one_lot_are_one_round_trip",
    )),
    Row(33, "duplicate fills", (
        f"{KERNEL}test_orders.py::test_a_duplicate_fill_counts_once",
        f"{SUITE}test_the_stream_tells_the_same_fills_as_the_picture", KNOWN_ONCE,
    )),
    Row(34, "fills out of order, or before the ack", (
        f"{KERNEL}test_orders.py::test_a_fill_before_the_acceptance",
        f"{KERNEL}test_machine.py::test_whatever_is_said_in_whatever_order",
        f"{SUITE}test_the_stream_tells_the_same_fills_as_the_picture",
    )),
    Row(35, "fill after the cancel, or crossing it", (
        f"{KERNEL}test_orders.py::test_a_late_fill_is_booked_and_told",
        f"{LINK}test_broker.py::test_a_cancel_that_loses_against_a_fill",
        "brokers/binance/test_conformance.py::test_a_fill_overtakes_an_amend_and_a_cancel",
    )),
    Row(36, "overfill", (
        f"{KERNEL}test_orders.py::test_an_overfill_is_kept_and_degrades",
        f"{KERNEL}test_orders.py::test_an_overfill_in_two_parts",
    )),
    Row(37, "cancel of an unknown or filled order, or unanswered", (
        f"{SUITE}test_a_cancel_that_comes_too_late", f"{SUITE}test_a_cancel_twice", SENT_ONCE,
        f"{KERNEL}test_inquiries.py::test_a_cancel_that_finds_nothing_is_asked_after",
    )),
    Row(38, "amend rejected, unanswered, or of another size", (
        f"{KERNEL}test_inquiries.py::test_a_lost_amend_takes_the_venues_word",
        f"{KERNEL}test_orders.py::test_a_storm_of_changes_never_doubles_a_slot",
        f"{LINK}test_broker.py::test_an_amendment_that_fails",
    )),
    Row(39, "foreign order or position at start", (
        f"{KERNEL}test_truth.py::test_a_foreign_order_is_told_once_and_never_touched",
        "laptop_agents/test_admission.py::test_with_anything_missing_nothing_begins",
    )),
    Row(40, "position drifts by another hand", (
        f"{KERNEL}test_truth.py::test_a_drift_without_fills_halts",
        f"{KERNEL}test_truth.py::test_another_hand_is_booked_to_the_house_and_degrades",
        f"{KERNEL}test_orders.py::test_a_liquidation_leaves_no_agent_with_a_position_it_lost",
    )),
    Row(41, "an instrument's rules change", (
        "end_to_end/test_rules.py::test_rules_that_change_end_new_risk_and_nothing_else",
        "end_to_end/test_rules.py::test_a_resume_finds_the_rules_back",
        "end_to_end/test_rules.py::test_a_halt_is_waited_out_with_a_position",
        f"{KERNEL}test_rules.py::test_rules_that_change_stop_new_risk_until_they_are_back",
        f"{KERNEL}test_rules.py::test_rules_of_one_symbol_of_two_suspend_it_alone",
        f"{KERNEL}test_rules.py::test_what_reduces_leaves_on_the_steps_the_venue_has_now",
        f"{KERNEL}test_rules.py::test_agents_do_not_ask_for_what_is_not_traded_and_people_may",
        f"{LINK}test_rules_watch.py::test_a_feed_tells_what_its_venue_changes",
        f"{LINK}test_rules_watch.py::test_a_listing_that_does_not_come_is_asked_for_again",
        f"{KERNEL}test_denials.py::test_a_venue_that_refuses_is_not_asked_again_at_once",
        f"{SUITE}test_what_the_rules_forbid_is_refused",
    )),
    Row(42, "key revoked, or it could withdraw", (
        "laptop_agents/test_admission.py::test_with_anything_missing_nothing_begins",
        "brokers/binance/test_conformance.py::test_a_key_that_may_not_trade_is_refused_where_it_tries",
        "brokers/binance/test_listener.py::test_a_key_that_is_refused_is_told_once_and_asked_for_again",
        f"{KERNEL}test_denials.py::test_a_key_that_stays_refused_halts",
        f"{KERNEL}test_denials.py::test_an_account_that_may_not_be_read_says_the_same",
        f"{SUITE}test_a_key_that_is_revoked_is_refused_whatever_is_asked",
        "end_to_end/test_denied.py::test_a_key_that_stays_revoked_is_an_emergency",
    )),
    Row(43, "nonce or time stamp outside its window", (
        "brokers/binance/test_account.py::test_a_late_stamp_looks_at_the_clock_and_tries_once_more",
        "brokers/binance/test_conformance.py::test_a_clock_that_jumps_is_followed",
        "brokers/bitunix/test_conformance.py::test_a_clock_that_jumps_is_followed",
        "brokers/hyperliquid/test_limits.py::test_nonces_rise_whatever_the_clock_does",
    )),
    Row(44, "pages missing, repeated, in a loop", (
        "brokers/binance/test_survey.py::test_a_page_that_repeats_itself_is_a_failure",
        "brokers/binance/test_survey.py::test_there_is_an_end_to_pages",
        "brokers/bitunix/test_account.py::test_more_than_a_page",
        "brokers/hyperliquid/test_survey.py::test_a_page_that_repeats_itself_is_no_whole_answer",
    )),
    Row(45, "storms of rejects", (
        f"{KERNEL}test_lifecycle.py::test_venue_rejects_pause", "engine/risk/test_breakers.py::test_row",
    )),
    Row(46, "the dead-man switch fires", (
        f"{SUITE}test_the_dead_man_fires", f"{KERNEL}test_truth.py::test_a_ghost_is_asked_after",
    )),
    Row(47, "insufficient margin, leverage changed by others", (
        f"{SUITE}test_what_the_rules_forbid_is_refused",
        f"{KERNEL}test_denials.py::test_a_venue_that_refuses_is_not_asked_again_at_once",
        f"{LINK}test_terms.py::test_refusals_for_want_of_margin_ask_once_and_soon",
        f"{MARGINS}test_what_another_client_changes_is_told_once",
        f"{KERNEL}test_terms.py::test_a_person_is_told_from_what_to_what",
        "end_to_end/test_live_trading.py::test_another_hand_at_the_leverage_is_told_once_and_replays",
    )),
)  # fmt: skip

ACCOUNT_LINE: Final = (
    Row(48, "listen key expired while prices flow", (
        "brokers/binance/test_conformance.py::test_a_key_that_expires_is_made_anew",
        "brokers/binance/test_listener.py::test_a_dead_key_and_what_cannot_be_read_end_the_line",
        "brokers/bitunix/test_account.py::test_a_login_that_is_refused_says_so",
    )),
    Row(49, "events lost around a fill", (
        KNOWN_ONCE, f"{KERNEL}test_truth.py::test_a_lost_fill_is_found_booked_and_forgiven",
        f"{KERNEL}test_truth.py::test_a_fill_that_comes_after_its_repair_counts_once",
    )),
    Row(50, "another account's events, a stale snapshot", (
        f"{LINK}test_broker_session.py::test_an_order_of_another_run_is_not_spoken_of",
        "engine/execution/test_syncer.py::test_an_older_picture_is_not_compared",
        "brokers/hyperliquid/test_account.py::test_a_wallet_and_an_address_that_do_not_belong_together",
    )),
    Row(51, "overflow of what the account told", (
        f"{LINK}test_broker_session.py::test_a_session_that_takes_nothing_is_ended",
    )),
)  # fmt: skip

CLOCK: Final = (
    Row(52, "the wall's clock jumps", (
        "engine/session/test_clock.py::test_the_walls_clock_may_jump",
        "brokers/binance/test_conformance.py::test_a_clock_that_jumps_is_followed",
        f"{KERNEL}test_lifecycle.py::test_time_never_runs_backwards",
    )),
    Row(53, "strobe", (
        "engine/session/test_clock.py::test_the_walls_clock_may_jump",
        "brokers/hyperliquid/test_limits.py::test_nonces_rise_whatever_the_clock_does",
    )),
    Row(54, "the machine sleeps", (
        "engine/session/test_live_runner.py::test_a_difference_found_after_a_pause_has_not_lasted_through_it",
        "end_to_end/test_sentinel.py::test_a_stopped_engine_and_a_kill_file",
    )),
    Row(55, "midnight, the day's loss limit", (
        "engine/risk/test_breakers.py::test_midnight_resets_the_day_once",
        "engine/risk/test_breakers.py::test_the_day_peak_falls_back_at_midnight",
    )),
)  # fmt: skip

SECRETS: Final = (
    Row(109, "a canary key on every way an error takes", (
        "end_to_end/test_keys_live.py::test_a_session_that_ends_as_planned",
        "end_to_end/test_keys_live.py::test_a_bug_while_it_trades",
        "end_to_end/test_keys_live.py::test_a_session_that_is_killed",
        "end_to_end/test_keys.py::test_a_bug_tells_no_key",
        f"{LINK}test_secret.py::test_a_venue_that_echoes_a_key_is_not_repeated",
    )),
    Row(110, "a key that is typed", (
        "end_to_end/test_keys.py::test_a_key_that_is_typed_is_not_shown",
        "laptop_agents/test_keys_command.py::test_a_key_on_the_command_line_is_refused",
    )),
    Row(111, "keyrings that are none, locked, plain, hanging", (
        "laptop_agents/test_keyring_box.py::test_one_that_does_not_keep_is_refused",
        "laptop_agents/test_keyring_box.py::test_what_is_not_on_the_list_is_not_asked",
        "laptop_agents/test_keys.py::test_a_keyring_that_hangs_is_asked_once",
        "end_to_end/test_keyring.py::test_a_keyring_that_stays_locked_is_given_up",
    )),
    Row(116, "TLS: self-signed, wrong host, expired, in the open, redirect, proxy", (
        f"{LINK}test_tls.py::test_nobody_vouches_for_himself",
        f"{LINK}test_tls.py::test_another_name_and_an_expired_one_are_refused",
        f"{LINK}test_tls.py::test_a_server_without_tls_hears_nothing_readable",
        f"{TOXIC}test_encrypted.py::test_who_takes_the_address_of_a_venue_is_told_nothing",
        f"{LINK}test_rest.py::test_a_redirect_is_an_answer",
        f"{LINK}test_rest.py::test_no_cookie_and_no_proxy",
    )),
    Row(121, "the venue's cap on open orders", (
        f"{SUITE}test_at_the_cap_of_open_orders_a_cancel_makes_room_to_close",
        "engine/session/sentinel/test_act.py::test_a_kill_takes_everything_out_and_closes",
        f"{KERNEL}test_lifecycle.py::test_kill_flattens_and_stops",
        "engine/risk/test_rules.py::test_row",
    )),
)  # fmt: skip

MATRIX: Final = (*FEED, *ORDERS, *ACCOUNT_LINE, *CLOCK, *SECRETS)

OPEN: Final = {
    8: "ten minutes of it are a soak's (`make soak-live-virtual`, `make soak-toxic`), not this suite's",
    17: "five minutes of it are a benchmark's, not this suite's",
    50: "no venue of these names the account in its events; what is not ours is told apart by name",
}
"""What the tests of a row leave open, and why."""
